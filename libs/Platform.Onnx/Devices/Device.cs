using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Platform.Onnx;

public enum DeviceKind
{
    Cpu,
    WebGpu,
    Cuda,
}

/// <summary>What runs a model: <c>cpu</c>, <c>webgpu</c>, or <c>cuda:0</c> with the number of the card.</summary>
public readonly record struct Device(DeviceKind Kind, int Index = 0)
{
    public static Device Cpu => default;

    /// <summary>Reads a name, whatever its case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out Device device)
    {
        device = default;
        switch (name?.ToLowerInvariant())
        {
            case "cpu":
                return true;
            case "webgpu":
                device = new Device(DeviceKind.WebGpu);
                return true;
            case "cuda":
                device = new Device(DeviceKind.Cuda);
                return true;
            case { } text when text.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                device = new Device(DeviceKind.Cuda, index);
                return true;
            default:
                return false;
        }
    }

    public override string ToString() => Kind switch
    {
        DeviceKind.Cuda => $"cuda:{Index}",
        DeviceKind.WebGpu => "webgpu",
        _ => "cpu",
    };
}

/// <summary>Why a device does not run a model.</summary>
public sealed record DeviceRefusal(Device Device, string Reason);

/// <summary>The device that runs a model, and those that were tried before.</summary>
public sealed record DeviceChoice(Device Device, ImmutableArray<DeviceRefusal> Refusals);
