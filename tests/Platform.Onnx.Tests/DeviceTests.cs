using System.Runtime.InteropServices;
using Platform.Onnx.Devices;
using Platform.Tests.Shared;

namespace Platform.Onnx.Tests;

public class DeviceTests
{
    [Theory]
    [InlineData("cpu", DeviceKind.Cpu, 0)]
    [InlineData("WebGPU", DeviceKind.WebGpu, 0)]
    [InlineData("cuda", DeviceKind.Cuda, 0)]
    [InlineData("CUDA:3", DeviceKind.Cuda, 3)]
    public void TryParse_Name_IsRead(string name, DeviceKind kind, int index)
    {
        Assert.True(Device.TryParse(name, out var device));
        Assert.Equal(new Device(kind, index), device);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("auto")]
    public void TryParse_Other_IsRefused(string? name) => Assert.False(Device.TryParse(name, out _));

    [RuntimeFact]
    public void Load_Auto_RunsAndTellsWhatWasRefused()
    {
        using var session = OnnxSession.Load(OnnxModelBuilder.Scale());

        var before = DeviceSelector.Automatic.TakeWhile(device => device != session.Device.Device);
        Assert.Equal(before, session.Device.Refusals.Select(static refusal => refusal.Device));
        Assert.All(session.Device.Refusals, static refusal => Assert.NotEmpty(refusal.Reason));
    }

    [RuntimeFact]
    public void Load_CudaByNameWhereItIsNot_IsRefusedWithTheReason()
    {
        if (DeviceSelector.Probe(new Device(DeviceKind.Cuda, 99), automatic: false) is null) return; // a library with CUDA: its own tests are others

        var exception = Assert.Throws<DeviceRefusedException>(() => OnnxSession.Load(OnnxModelBuilder.Scale(), new OnnxSessionOptions { Device = "cuda:99" }));

        Assert.Equal("cuda:99", exception.Refusal.Device.ToString());
        Assert.Contains("libonnxruntime_providers_", exception.Refusal.Reason, StringComparison.Ordinal);
    }

    [RuntimeFact]
    public void Load_NoDevice_IsRefused() => Assert.Throws<ArgumentException>(() => OnnxSession.Load(OnnxModelBuilder.Scale(), new OnnxSessionOptions { Device = "tpu" }));

    /// <summary>Over a driver that computes on the CPU, where a browser brings one: the same road as over a GPU.</summary>
    [SoftwareVulkanFact]
    public void Load_WebGpuByName_GivesWhatTheCpuGives()
    {
        SoftwareVulkanFactAttribute.Use();
        var model = OnnxModelBuilder.Work(64, 3);
        using var cpu = OnnxSession.Load(model, new OnnxSessionOptions { Device = "cpu" });
        using var webgpu = OnnxSession.Load(model, new OnnxSessionOptions { Device = "webgpu" });
        Assert.Equal(DeviceKind.WebGpu, webgpu.Device.Device.Kind);
        using var x = Tensor.Rent(TensorType.Float32, 5, 64);
        var random = new Random(1);
        foreach (ref var value in x.AsSpan<float>()) value = random.NextSingle();
        var (expected, actual) = (new Tensor?[1], new Tensor?[1]);

        cpu.Run([x], expected, CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            webgpu.Run([x], actual, CancellationToken.None);
        }

        using var a = expected[0]!;
        using var b = actual[0]!;
        for (var i = 0; i < a.Count; i++) Assert.Equal(a.AsSpan<float>()[i], b.AsSpan<float>()[i], 1e-4);
        // It is no hardware: nobody gets it without asking for it.
        var adapters = VulkanAdapters.List(out _);
        Assert.NotEmpty(adapters);
        Assert.All(adapters, static adapter => Assert.False(adapter.IsHardware));
        Assert.Contains("SwiftShader", adapters[0].Name, StringComparison.Ordinal);
    }
}

/// <summary>A fact that needs a Vulkan driver in software: chromium brings one on Debian. Skipped, with the reason, where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed partial class SoftwareVulkanFactAttribute : FactAttribute
{
    private const string Loader = "/usr/lib/chromium/libvulkan.so.1", Driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

    public SoftwareVulkanFactAttribute() => Skip = OnnxRuntimeLibrary.WhyUnavailable
        ?? (File.Exists(Loader) && File.Exists(Driver) ? null : $"needs {Loader} and {Driver}")
        ?? (Environment.GetEnvironmentVariable("VK_ICD_FILENAMES") is { } other && other != Driver ? $"VK_ICD_FILENAMES names {other}" : null);

    /// <summary>Loads chromium's loader, so that whoever opens libvulkan.so.1 gets it, and has it take chromium's driver.</summary>
    public static void Use()
    {
        // .NET's own variables are not the process's.
        Assert.Equal(0, SetEnvironment("VK_ICD_FILENAMES", Driver, 1));
        NativeLibrary.Load(Loader);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
