using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using ImageApi.Tests.Support;
using ImageApi.Tiles;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Tiles;

/// <summary>A scanner's slide, against pydicom and Pillow.</summary>
public sealed class RealSlideTests
{
    private const string Study = "1.2.276.1.74.1.2.132733202464108492637644434464108492";

    [ToolFact("python3", Data = "wsi-pyramid")]
    public async Task GetTile_StoredLevels_AreWhatPillowSees()
    {
        await using var host = await ImageApiHost.StartOverAsync(TestData.GetPath("wsi-pyramid"));
        var described = await (await host.SendAsync($"/api/dicom/{Study}/slide")).JsonAsync();
        Assert.Equal((6000, 4224), (described.GetProperty("width").GetInt32(), described.GetProperty("height").GetInt32()));
        Assert.Equal([false, true, true, true, true, true], described.GetProperty("levels").EnumerateArray().Select(level => level.GetProperty("isStored").GetBoolean()));
        var grid = new TileGrid(6000, 4224);
        foreach (var (tile, file) in new (TileAddress, string)[]
        {
            (new(5, 9, 7), "wsi_level_0108tiles_jpeg50.dcm"), (new(5, 23, 16), "wsi_level_0108tiles_jpeg50.dcm"), (new(4, 3, 4), "wsi_level_0030tiles_jpeg50.dcm"), (new(2, 1, 1), "wsi_level_0004tiles_jpeg50.dcm"),
        })
        {
            using var response = await host.SendAsync($"/api/dicom/{Study}/tiles/{tile.Level}/{tile.X}/{tile.Y}");
            var (width, height) = grid.SizeOf(tile);
            var pixels = new ArrayBufferWriter<byte>();
            new JpegFrameDecoder().Decode(new ReadOnlySequence<byte>(await response.Content.ReadAsByteArrayAsync()), new FrameDescription(height, width, 3, 8, 8, false, false, Photometric.YbrFull), pixels, new DecodeOptions(), CancellationToken.None);
            var expected = await ReadRegionAsync(TestData.GetPath($"wsi-pyramid/{file}"), tile.X * 256, tile.Y * 256, width, height);
            double error = 0;
            for (var i = 0; i < expected.Length; i++) error += Math.Pow(expected[i] - pixels.WrittenSpan[i], 2);
            var psnr = 10 * Math.Log10(255 * 255 / Math.Max(1e-9, error / expected.Length));
            Assert.True(psnr > 34, $"{tile} has {psnr:F1} dB.");   // compressed twice; a shift by one pixel has less than 30
        }
    }

    private static async Task<byte[]> ReadRegionAsync(string path, int left, int top, int width, int height)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "Tiles", "pil_region.py"), path, .. new[] { left, top, width, height }.Select(static number => number.ToString(CultureInfo.InvariantCulture))])
        { RedirectStandardOutput = true })!;
        using var pixels = new MemoryStream();
        await python.StandardOutput.BaseStream.CopyToAsync(pixels);
        await python.WaitForExitAsync();
        Assert.Equal(3 * width * height, pixels.Length);
        return pixels.ToArray();
    }
}
