using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class OrtMemoryInfo : SafeHandle
{
    public static readonly byte[] allocatorCPU = OrtApi.Utf8("Cpu");
    public static readonly byte[] allocatorCUDA = OrtApi.Utf8("Cuda");
    public static readonly byte[] allocatorCUDA_PINNED = OrtApi.Utf8("CudaPinned");

    private static readonly Lazy<OrtMemoryInfo> Default = new(static () =>
    {
        nint info;
        OrtApi.Check(OrtApi.CreateCpuMemoryInfo((int)OrtAllocatorType.ArenaAllocator, (int)OrtMemType.Default, &info));
        return new OrtMemoryInfo(info, OrtAllocatorType.ArenaAllocator, OrtMemType.Default, "Cpu", 0);
    });

    private readonly OrtAllocatorType _allocatorType;
    private readonly OrtMemType _memoryType;

    public OrtMemoryInfo(string allocatorName, OrtAllocatorType allocatorType, int deviceId, OrtMemType memoryType)
        : this(OrtApi.Utf8(allocatorName), allocatorType, deviceId, memoryType)
    {
    }

    public OrtMemoryInfo(byte[] utf8AllocatorName, OrtAllocatorType allocatorType, int deviceId, OrtMemType memoryType) : base(0, ownsHandle: true)
    {
        nint info;
        fixed (byte* name = utf8AllocatorName)
        {
            OrtApi.Check(OrtApi.CreateMemoryInfo(name, (int)allocatorType, deviceId, (int)memoryType, &info));
        }
        SetHandle(info);
        (_allocatorType, _memoryType, Name, Id) = (allocatorType, memoryType, Encoding.UTF8.GetString(utf8AllocatorName).TrimEnd('\0'), deviceId);
    }

    private OrtMemoryInfo(nint info, OrtAllocatorType allocatorType, OrtMemType memoryType, string name, int id) : base(0, ownsHandle: true)
    {
        SetHandle(info);
        (_allocatorType, _memoryType, Name, Id) = (allocatorType, memoryType, name, id);
    }

    public static OrtMemoryInfo DefaultInstance => Default.Value;

    public override bool IsInvalid => handle == 0;

    public string Name { get; }

    public int Id { get; }

    public OrtMemType GetMemoryType() => _memoryType;

    public OrtAllocatorType GetAllocatorType() => _allocatorType;

    internal nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseMemoryInfo(handle);
        handle = 0;
        return true;
    }
}
