using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class OrtAllocator : SafeHandle
{
    private static readonly Lazy<OrtAllocator> Default = new(static () =>
    {
        nint allocator;
        OrtApi.Check(OrtApi.GetAllocatorWithDefaultOptions(&allocator));
        return new OrtAllocator(allocator);
    });

    private OrtAllocator(nint allocator) : base(0, ownsHandle: false) => SetHandle(allocator);

    public static OrtAllocator DefaultInstance => Default.Value;

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    protected override bool ReleaseHandle() => true;
}
