using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public unsafe class OrtCUDAProviderOptions : SafeHandle
{
    public OrtCUDAProviderOptions() : base(0, ownsHandle: true)
    {
        nint options;
        OrtApi.Check(OrtApi.CreateCudaProviderOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    public string GetOptions()
    {
        byte* text;
        OrtApi.Check(OrtApi.GetCudaProviderOptionsAsString(handle, OrtAllocator.DefaultInstance.Pointer, &text));
        return OrtApi.TakeText(text);
    }

    public void UpdateOptions(Dictionary<string, string> providerOptions)
    {
        using var options = new NativeStrings(providerOptions);
        OrtApi.Check(OrtApi.UpdateCudaProviderOptions(handle, options.Keys, options.Values, (nuint)providerOptions.Count));
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseCudaProviderOptions(handle);
        handle = 0;
        return true;
    }
}
