using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;

namespace Platform.Onnx.Devices;

/// <summary>Tries devices in order until a session can be made on one. What the machine lacks is found out once a process.</summary>
internal static class DeviceSelector
{
    private const int LongestReason = 400;

    private static readonly ConcurrentDictionary<Device, DeviceRefusal?> Machine = new();

    /// <summary>Devices that <c>auto</c> tries, best first.</summary>
    public static ImmutableArray<Device> Automatic { get; } = [new(DeviceKind.Cuda), new(DeviceKind.WebGpu), Device.Cpu];

    /// <summary>Why this machine cannot use a device, null where it can as far as one can tell without a model.</summary>
    /// <param name="automatic">True refuses software in place of a GPU, which is slower than the CPU; by name it may be asked for.</param>
    public static DeviceRefusal? Probe(Device device, bool automatic)
    {
        if (device.Kind == DeviceKind.Cpu) return null;
        if (automatic && device.Kind == DeviceKind.WebGpu && VulkanAdapters.WhyNoHardware() is { } reason) return new DeviceRefusal(device, reason);
        return Machine.GetOrAdd(device, static device =>
        {
            try
            {
                using var options = new SessionOptions();
                Append(options, device);
                return null;
            }
            catch (OnnxRuntimeException exception)
            {
                return new DeviceRefusal(device, Reason(exception.Message));
            }
        });
    }

    public static void Append(SessionOptions options, Device device)
    {
        switch (device.Kind)
        {
            case DeviceKind.Cuda:
                using (var cuda = new OrtCUDAProviderOptions())
                {
                    cuda.UpdateOptions(new Dictionary<string, string> { ["device_id"] = device.Index.ToString(System.Globalization.CultureInfo.InvariantCulture) });
                    options.AppendExecutionProvider_CUDA(cuda);
                }
                break;
            case DeviceKind.WebGpu:
                options.AppendExecutionProvider("WebGPU");
                break;
        }
    }

    /// <summary>Makes a session on the device that is named, or for <c>auto</c> on the first that works.</summary>
    public static (InferenceSession Session, DeviceChoice Choice) Create(string name, Func<Device, InferenceSession> create)
    {
        var automatic = string.Equals(name, "auto", StringComparison.OrdinalIgnoreCase);
        ImmutableArray<Device> candidates = automatic ? Automatic : Device.TryParse(name, out var named) ? [named]
            : throw new ArgumentException($"'{name}' is no device: auto, cpu, webgpu, cuda or cuda:N.", nameof(name));
        var refusals = ImmutableArray.CreateBuilder<DeviceRefusal>();
        foreach (var device in candidates)
        {
            var refusal = Probe(device, automatic);
            if (refusal is null)
            {
                try
                {
                    return (create(device), new DeviceChoice(device, refusals.ToImmutable()));
                }
                catch (OnnxRuntimeException exception) when (device.Kind != DeviceKind.Cpu && !IsModelsFault(exception))
                {
                    refusal = new DeviceRefusal(device, Reason(exception.Message));
                }
            }
            if (!automatic) throw new DeviceRefusedException(refusal);
            refusals.Add(refusal);
        }
        throw new InvalidOperationException("The CPU refuses nothing.");
    }

    /// <summary>True where another device would fail the same way.</summary>
    private static bool IsModelsFault(OnnxRuntimeException exception) =>
        exception.Message.StartsWith("[ErrorCode:NoSuchFile]", StringComparison.Ordinal)
        || exception.Message.StartsWith("[ErrorCode:InvalidProtobuf]", StringComparison.Ordinal)
        || exception.Message.StartsWith("[ErrorCode:InvalidGraph]", StringComparison.Ordinal)
        || exception.Message.StartsWith("[ErrorCode:NoModel]", StringComparison.Ordinal);

    /// <summary>What the runtime says without its places in source and its markers, on one line.</summary>
    private static string Reason(string message)
    {
        var said = message[(message.LastIndexOf(" : FAIL : ", StringComparison.Ordinal) is >= 0 and var at ? at + " : FAIL : ".Length : 0)..];
        said = string.Join(' ', said.Split(['\r', '\n', ' '], StringSplitOptions.RemoveEmptyEntries));
        return said.Length <= LongestReason ? said : said[..LongestReason] + "...";
    }
}
