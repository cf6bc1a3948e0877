using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Which tensors a run reads and writes. Values that are bound must live as long as they are bound.</summary>
public unsafe class OrtIoBinding : SafeHandle
{
    private const int ShortName = 256;

    private readonly SafeHandle _session; // keeps the native session alive as long as the binding

    internal OrtIoBinding(SafeHandle session) : base(0, ownsHandle: true)
    {
        var held = false;
        session.DangerousAddRef(ref held);
        nint binding;
        var status = OrtApi.CreateIoBinding(session.DangerousGetHandle(), &binding);
        if (status != 0) session.DangerousRelease();
        OrtApi.Check(status);
        _session = session;
        SetHandle(binding);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    public void BindInput(string name, OrtValue ortValue)
    {
        Span<byte> buffer = stackalloc byte[ShortName];
        fixed (byte* text = Terminated(name, buffer))
        {
            OrtApi.Check(OrtApi.BindInput(Pointer, text, ortValue.Pointer));
        }
        GC.KeepAlive(ortValue);
    }

    public void BindOutput(string name, OrtValue ortValue)
    {
        Span<byte> buffer = stackalloc byte[ShortName];
        fixed (byte* text = Terminated(name, buffer))
        {
            OrtApi.Check(OrtApi.BindOutput(Pointer, text, ortValue.Pointer));
        }
        GC.KeepAlive(ortValue);
    }

    public void BindOutputToDevice(string name, OrtMemoryInfo memInfo)
    {
        Span<byte> buffer = stackalloc byte[ShortName];
        fixed (byte* text = Terminated(name, buffer))
        {
            OrtApi.Check(OrtApi.BindOutputToDevice(Pointer, text, memInfo.Pointer));
        }
        GC.KeepAlive(memInfo);
    }

    public void SynchronizeBoundInputs() => OrtApi.Check(OrtApi.SynchronizeBoundInputs(Pointer));

    public void SynchronizeBoundOutputs() => OrtApi.Check(OrtApi.SynchronizeBoundOutputs(Pointer));

    public void ClearBoundInputs() => OrtApi.ClearBoundInputs(Pointer);

    public void ClearBoundOutputs() => OrtApi.ClearBoundOutputs(Pointer);

    public string[] GetOutputNames()
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        byte* names;
        nuint* lengths;
        nuint count;
        OrtApi.Check(OrtApi.GetBoundOutputNames(Pointer, allocator, &names, &lengths, &count));
        if (count == 0) return [];
        var result = new string[count];
        var at = names;
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = Encoding.UTF8.GetString(at, (int)lengths[i]);
            at += lengths[i];
        }
        OrtApi.Check(OrtApi.AllocatorFree(allocator, names));
        OrtApi.Check(OrtApi.AllocatorFree(allocator, lengths));
        return result;
    }

    public IDisposableReadOnlyCollection<OrtValue> GetOutputValues()
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        nint* values;
        nuint count;
        OrtApi.Check(OrtApi.GetBoundOutputValues(Pointer, allocator, &values, &count));
        var result = new DisposableList<OrtValue>((int)count);
        if (count == 0) return result;
        for (nuint i = 0; i < count; i++) result.Add(new OrtValue(values[i]));
        OrtApi.Check(OrtApi.AllocatorFree(allocator, values));
        return result;
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseIoBinding(handle);
        _session.DangerousRelease();
        return true;
    }

    // Names are short: no garbage for binding.
    private static ReadOnlySpan<byte> Terminated(string name, Span<byte> buffer)
    {
        if (!Encoding.UTF8.TryGetBytes(name, buffer[..^1], out var written)) return OrtApi.Utf8(name);
        buffer[written] = 0;
        return buffer[..(written + 1)];
    }
}
