using System.Runtime.InteropServices;
using Platform.Tests.Shared;

namespace Web.Tests.Support;

/// <summary>The volumes of the origin <c>scans</c>, and a demo file server small and slow enough for tests.</summary>
public static class SyntheticVolumes
{
    /// <summary>A megabyte and a half over 16 Mbit/s: three quarters of a second, long enough to be seen on its way.</summary>
    public static IReadOnlyDictionary<string, string?> DemoFilesEnvironment { get; } = new Dictionary<string, string?>
    {
        ["DemoFiles__Columns"] = "96",
        ["DemoFiles__Slices"] = "80",
        ["DemoFiles__BitsPerSecond"] = "16000000",
    };

    public const int BrightValue = 1000;

    /// <summary><c>sides.nii.gz</c>: bright on the patient's left; <c>unstated.nii</c>: without orientation; <c>broken.nii</c>: a header and no voxels; a pair.</summary>
    public static void WriteAll(string folder)
    {
        var sides = Sides(out var voxels);
        File.WriteAllBytes(Path.Combine(folder, "sides.nii.gz"), sides.BuildGzip());
        File.WriteAllBytes(Path.Combine(folder, "unstated.nii"), new NiftiBuilder { Sizes = [40, 48, 32], Voxels = voxels }.Build());
        File.WriteAllBytes(Path.Combine(folder, "broken.nii"), new NiftiBuilder { Sizes = [40, 48, 32], Voxels = new byte[100] }.Build());
        var pair = new NiftiBuilder { IsPair = true, Sizes = [40, 48, 32], Voxels = voxels, SForm = [2, 0, 0, -40, 0, 2, 0, -48, 0, 0, 2, -32] };
        File.WriteAllBytes(Path.Combine(folder, "pair.hdr"), pair.BuildHeader());
        File.WriteAllBytes(Path.Combine(folder, "pair.img"), pair.BuildVoxels());
    }

    private static NiftiBuilder Sides(out byte[] voxels)
    {
        var values = new short[40 * 48 * 32];
        for (var i = 0; i < values.Length; i++) values[i] = (short)(i % 40 < 20 ? BrightValue : 100 + (i % 2));
        voxels = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        // RAS: the first columns are the patient's left.
        return new NiftiBuilder { Sizes = [40, 48, 32], Voxels = voxels, SForm = [2, 0, 0, -40, 0, 2, 0, -48, 0, 0, 2, -32] };
    }
}
