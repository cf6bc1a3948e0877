using InferenceApi.Sessions;
using Microsoft.Extensions.Options;
using Platform.Onnx;

namespace InferenceApi.ResultCache;

/// <summary>Which kind of device models run on here: part of a result's key, and known without loading any of them.</summary>
internal sealed class DeviceProbe(IOptions<SessionsOptions> options)
{
    // y = x, one float32 (ONNX opset 13).
    private static readonly byte[] Identity = Convert.FromBase64String("CAgSADo3ChAKAXgSAXkiCElkZW50aXR5EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQDQ==");

    private readonly Lazy<string> _kind = new(() =>
    {
        using var session = OnnxSession.Load(Identity, new OnnxSessionOptions { Device = options.Value.Device, IntraOpThreads = 1 });
        return session.Device.Device.ToString();
    }, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The device that <see cref="SessionsOptions.Device"/> comes to.</summary>
    /// <exception cref="OnnxUnavailableException">There is no runtime.</exception>
    /// <exception cref="DeviceRefusedException">The configured device cannot be used.</exception>
    public string Kind => _kind.Value;
}
