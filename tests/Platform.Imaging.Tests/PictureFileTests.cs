using System.Diagnostics;
using Platform.Codecs;
using Platform.Tests.Shared;

namespace Platform.Imaging.Tests;

/// <summary>Picture files as people see them, against Pillow and LittleCMS.</summary>
public sealed class PictureFileTests
{
    private const string Pillow = "/usr/lib/python3/dist-packages/PIL/__init__.py";
    private const long MaxPixels = 1 << 20;

    [ToolFact(Pillow)]
    public async Task Decode_OrientationsProfilesTransparency_LooksAsElsewhere()
    {
        using var folder = new TempFolder();
        await RunAsync(folder.Path);
        var files = Directory.GetFiles(folder.Path).Where(static file => Path.GetExtension(file) is ".png" or ".jpg" or ".gif").ToArray();
        Assert.Equal(16 + 8 + 3 + 6 + 2, files.Length);
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            var bytes = await File.ReadAllBytesAsync(file);
            using var picture = PictureFile.Decode(bytes, MaxPixels, CancellationToken.None);
            var info = PictureFile.ReadInfo(bytes);
            Assert.Equal((picture.Width, picture.Height), (info.Width, info.Height));
            Assert.Equal($"{name} {await File.ReadAllTextAsync(Path.ChangeExtension(file, "txt"))}", $"{name} {picture.Width} {picture.Height} {picture.Channels} {info.Orientation}");
            AssertNear(await File.ReadAllBytesAsync(Path.ChangeExtension(file, "pixels")), picture.Pixels, name.StartsWith("profile", StringComparison.Ordinal) ? 2 : 1, name);
        }
    }

    [DataFact("photos")]
    public void Decode_RealPhotos_HaveTheirSizes()
    {
        foreach (var (name, width, height, orientation) in new[] { ("hopper_orientation_6.jpg", 128, 128, 6), ("rocket.jpg", 640, 427, 1), ("icc_profile_big.jpg", 425, 250, 1), ("chelsea.png", 451, 300, 1), ("exif_gps.jpg", 8, 8, 1) })
        {
            var bytes = File.ReadAllBytes(TestData.GetPath("photos/" + name));
            Assert.Equal((name, width, height, orientation), (name, PictureFile.ReadInfo(bytes).Width, PictureFile.ReadInfo(bytes).Height, PictureFile.ReadInfo(bytes).Orientation));
            using var picture = PictureFile.Decode(bytes, MaxPixels, CancellationToken.None);
            Assert.Equal((width, height), (picture.Width, picture.Height));
        }
    }

    [Fact]
    public void Decode_MorePixelsThanAllowed_IsRefusedBeforeDecoding()
    {
        // A GIF of 30,000 x 30,000 in 20 bytes.
        byte[] bomb = [.. "GIF89a"u8, 0x30, 0x75, 0x30, 0x75, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0x30, 0x75, 0x30, 0x75, 0, 2, 0, 0x3B];
        Assert.Equal(30_000, PictureFile.ReadInfo(bomb).Width);
        Assert.Contains("more than", Assert.Throws<InvalidFrameException>(() => PictureFile.Decode(bomb, MaxPixels, CancellationToken.None)).Message);
    }

    [Theory]
    [InlineData("RIFF____WEBPVP8 ")]
    [InlineData("<svg xmlns=")]
    [InlineData("")]
    [InlineData("BM")]
    public void KindOf_WhatIsNotRead_IsNull(string beginning) => Assert.Null(PictureFile.KindOf(System.Text.Encoding.ASCII.GetBytes(beginning)));

    private static void AssertNear(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, int tolerance, string name)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{name} at {i}: {expected[i]} expected, {actual[i]} found");
    }

    private static async Task RunAsync(string folder)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "pictures.py"), folder]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }
}
