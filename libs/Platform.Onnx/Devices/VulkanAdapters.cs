using System.Runtime.InteropServices;
using System.Text;

namespace Platform.Onnx.Devices;

/// <summary>
/// The graphics adapters that Vulkan offers, which is what WebGPU runs on here. Asked because WebGPU also accepts a driver that computes on the CPU, and
/// then is slower than the CPU itself.
/// </summary>
internal static unsafe class VulkanAdapters
{
    private const int InstanceCreateInfo = 1; // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
    private const int PropertiesBytes = 1024; // VkPhysicalDeviceProperties has 824
    private const int TypeAt = 16, NameAt = 20, NameBytes = 256;
    private const int MaxAdapters = 16;

    private static readonly Lazy<string?> Hardware = new(FindHardware);

    /// <summary>One adapter; <see cref="IsHardware"/> is false for software (VK_PHYSICAL_DEVICE_TYPE_CPU, _OTHER).</summary>
    public readonly record struct Adapter(string Name, bool IsHardware);

    /// <summary>Why there is no hardware adapter, null where there is one. Found out once.</summary>
    public static string? WhyNoHardware() => Hardware.Value;

    private static string? FindHardware()
    {
        var adapters = List(out var missing);
        return adapters.Any(static adapter => adapter.IsHardware) ? null
            : missing ?? (adapters.Count == 0 ? "Vulkan knows no adapter" : $"only software adapters: {string.Join(", ", adapters.Select(static adapter => adapter.Name))}");
    }

    /// <summary>All adapters; empty, with the reason, where Vulkan is not there.</summary>
    public static IReadOnlyList<Adapter> List(out string? missing)
    {
        missing = null;
        var file = OperatingSystem.IsWindows() ? "vulkan-1.dll" : "libvulkan.so.1";
        if (!NativeLibrary.TryLoad(file, out var library))
        {
            missing = $"{file} is not installed";
            return [];
        }
        // The library stays loaded: the runtime will use it.
        var create = (delegate* unmanaged<CreateInfo*, void*, nint*, int>)NativeLibrary.GetExport(library, "vkCreateInstance");
        var enumerate = (delegate* unmanaged<nint, uint*, nint*, int>)NativeLibrary.GetExport(library, "vkEnumeratePhysicalDevices");
        var properties = (delegate* unmanaged<nint, byte*, void>)NativeLibrary.GetExport(library, "vkGetPhysicalDeviceProperties");
        var destroy = (delegate* unmanaged<nint, void*, void>)NativeLibrary.GetExport(library, "vkDestroyInstance");
        var info = new CreateInfo { Type = InstanceCreateInfo };
        nint instance;
        if (create(&info, null, &instance) is var error && error != 0)
        {
            missing = $"Vulkan has no driver ({error})";
            return [];
        }
        try
        {
            var count = (uint)MaxAdapters;
            var devices = stackalloc nint[MaxAdapters];
            if (enumerate(instance, &count, devices) < 0) return [];
            var facts = stackalloc byte[PropertiesBytes];
            var adapters = new List<Adapter>();
            for (var i = 0; i < count; i++)
            {
                properties(devices[i], facts);
                var name = new ReadOnlySpan<byte>(facts + NameAt, NameBytes);
                var type = *(uint*)(facts + TypeAt);
                adapters.Add(new Adapter(Encoding.UTF8.GetString(name[..Math.Max(0, name.IndexOf((byte)0))]), type is 1 or 2 or 3));
            }
            return adapters;
        }
        finally
        {
            destroy(instance, null);
        }
    }

    // VkInstanceCreateInfo
    [StructLayout(LayoutKind.Sequential)]
    private struct CreateInfo
    {
        public int Type;
        public nint Next;
        public uint Flags;
        public nint ApplicationInfo;
        public uint LayerCount;
        public nint Layers;
        public uint ExtensionCount;
        public nint Extensions;
    }
}
