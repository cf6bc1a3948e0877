using System.Diagnostics;
using System.Text.Json;
using Platform.Tests.Shared;

namespace Platform.Nifti.Tests;

/// <summary>What nibabel, an independent reader, finds in files.</summary>
internal static class NibabelOracle
{
    public static async Task<IReadOnlyList<OracleVolume>> ReadAsync(params IEnumerable<string> files)
    {
        var start = new ProcessStartInfo(ToolPath.Find("nibabel")!) { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "nibabel_volumes.py"));
        foreach (var file in files) start.ArgumentList.Add(file);
        using var process = Process.Start(start)!;
        var volumes = new List<OracleVolume>();
        while (await process.StandardOutput.ReadLineAsync() is { } line) volumes.Add(JsonSerializer.Deserialize<OracleVolume>(line, JsonSerializerOptions.Web)!);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return volumes;
    }

    /// <summary>Compares all that both say of one file.</summary>
    public static async Task AssertSameAsync(OracleVolume expected, NiftiVolume volume)
    {
        var header = volume.Header;
        Assert.Equal(expected.Version, header.Version);
        Assert.Equal(expected.BigEndian, header.IsBigEndian);
        Assert.Equal(expected.Type, (int)header.DataType);
        Assert.Equal(expected.Sizes, header.Dimensions);
        Assert.Equal(expected.Axes, header.Orientation);
        Assert.Equal(expected.Zooms, header.PixelDimensions.Select(static d => d), Near(1e-6));
        Assert.Equal(expected.Units[0] == "unknown" ? null : expected.Units[0], header.SpaceUnit switch { "m" => "meter", "um" => "micron", var unit => unit });
        Assert.Equal(expected.Affine, header.Affine.ToArray(), Near(1e-5));
        if (!header.DataType.IsColour()) Assert.Equal((expected.Slope, expected.Inter), (header.Slope, header.Intercept));

        var range = await volume.MeasureAsync(null, CancellationToken.None);
        Assert.NotNull(range);
        Assert.Equal((expected.Count, expected.NotFinite), (range.Count, range.NotFinite));
        Assert.Equal(expected.Min, range.Min, Near(1e-12));
        Assert.Equal(expected.Max, range.Max, Near(1e-12));
        var tolerance = header.DataType.BitsPerVoxel() <= 16 || header.DataType.IsColour() ? 1e-12 : 0.002;
        Assert.Equal(expected.Low, range.Low, Near(tolerance, Math.Abs(header.Intercept) * tolerance));
        Assert.Equal(expected.High, range.High, Near(tolerance, Math.Abs(header.Intercept) * tolerance));
    }

    private static Func<double, double, bool> Near(double relative, double absolute = 0) =>
        (x, y) => Math.Abs(x - y) <= Math.Max(1e-9, absolute + relative * Math.Max(Math.Abs(x), Math.Abs(y)));
}

internal sealed record OracleVolume(
    string File, int Version, bool BigEndian, int Type, long[] Sizes, long Offset, double[] Affine, double[]? Qform, string Axes, double[] Zooms, string[] Units,
    double Slope, double Inter, double Min, double Max, double Low, double High, long Count, long NotFinite);
