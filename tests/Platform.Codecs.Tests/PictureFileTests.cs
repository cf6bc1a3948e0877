using System.Buffers;
using System.Diagnostics;
using Platform.Codecs.Gif;
using Platform.Codecs.Jpeg;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>GIF and JPEG files that describe themselves, against Pillow.</summary>
public sealed class PictureFileTests
{
    private const string Pillow = "/usr/lib/python3/dist-packages/PIL/__init__.py";

    // The smallest GIF there is to speak of: 2 x 2, four colours.
    private static readonly byte[] SmallGif = [.. "GIF89a"u8, 2, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x34, 0x05, 0, 0x3B];

    [ToolFact(Pillow)]
    public async Task Gif_EveryKind_EqualsPillow()
    {
        using var folder = new TempFolder();
        await RunAsync("gif", folder.Path);
        var files = Directory.GetFiles(folder.Path, "*.gif");
        Assert.Equal(19, files.Length);
        foreach (var file in files)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            var pixels = new ArrayBufferWriter<byte>();
            var info = GifDecoder.Decode(new ReadOnlySequence<byte>(bytes), pixels, new DecodeOptions(), CancellationToken.None);
            Assert.Equal(info, GifDecoder.ReadInfo(bytes));
            Assert.Equal(await File.ReadAllTextAsync(Path.ChangeExtension(file, "txt")), $"{info.Width} {info.Height} {info.Channels}");
            var expected = await File.ReadAllBytesAsync(Path.ChangeExtension(file, "pixels"));
            Assert.True(pixels.WrittenSpan.SequenceEqual(expected), Path.GetFileName(file));
            AssertEveryTruncationThrows(bytes, static (cut, to) => GifDecoder.Decode(cut, to, new DecodeOptions(), CancellationToken.None), from: 6, isWholeWithoutEnd: true);
        }
    }

    [ToolFact(Pillow)]
    public async Task Jpeg_EveryKind_EqualsPillow()
    {
        using var folder = new TempFolder();
        await RunAsync("jpeg", folder.Path);
        var files = Directory.GetFiles(folder.Path, "*.jpg");
        Assert.InRange(files.Length, 15, 19);
        foreach (var file in files)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            var pixels = new ArrayBufferWriter<byte>();
            var info = JpegDecoder.Decode(new ReadOnlySequence<byte>(bytes), pixels, new DecodeOptions(), CancellationToken.None);
            Assert.Equal(info, JpegDecoder.ReadInfo(bytes));
            Assert.Equal(await File.ReadAllTextAsync(Path.ChangeExtension(file, "txt")), $"{info.Width} {info.Height} {info.Channels}");
            var expected = await File.ReadAllBytesAsync(Path.ChangeExtension(file, "pixels"));
            // Pillow rounds inks in another way, and repeats what is sampled four times where others interpolate.
            AssertNear(expected, pixels.WrittenSpan, Path.GetFileName(file).StartsWith("cmyk", StringComparison.Ordinal) ? 2 : Path.GetFileName(file) == "411.jpg" ? 12 : 0, file);
        }
    }

    [DataFact("photos")]
    public async Task Jpeg_RealPhotos_EqualPillow()
    {
        using var folder = new TempFolder();
        foreach (var file in TestData.GetFiles("photos").Where(static file => file.EndsWith(".jpg", StringComparison.Ordinal)))
        {
            var pixels = new ArrayBufferWriter<byte>();
            var info = JpegDecoder.Decode(new ReadOnlySequence<byte>(await File.ReadAllBytesAsync(file)), pixels, new DecodeOptions(), CancellationToken.None);
            await RunAsync("rgb", file, folder.Combine("pixels"));
            var expected = await File.ReadAllBytesAsync(folder.Combine("pixels"));
            if (info.Channels == 1) expected = [.. expected.Where(static (_, i) => i % 3 == 0)];
            AssertNear(expected, pixels.WrittenSpan, file.Contains("cmyk", StringComparison.Ordinal) ? 2 : 0, file);
        }
    }

    [Fact]
    public void Gif_SmallOne_HasItsColours()
    {
        var pixels = new ArrayBufferWriter<byte>();
        var info = GifDecoder.Decode(new ReadOnlySequence<byte>(SmallGif), pixels, new DecodeOptions(), CancellationToken.None);
        Assert.Equal(new PictureInfo(2, 2, 3, 8), info);
        Assert.Equal(12, pixels.WrittenCount);
    }

    [Fact]
    public void Gif_Bomb_ThrowsBeforeDecoding()
    {
        var bomb = (byte[])SmallGif.Clone();
        foreach (var at in new[] { 6, 8, 30, 32 }) (bomb[at], bomb[at + 1]) = (0xFF, 0xFF);
        var thrown = Assert.Throws<InvalidFrameException>(() => GifDecoder.Decode(new ReadOnlySequence<byte>(bomb), new ArrayBufferWriter<byte>(), new DecodeOptions { MaxFrameBytes = 64 << 20 }, CancellationToken.None));
        Assert.Contains("limit", thrown.Message);
    }

    [ToolFact(Pillow)]
    public async Task GifAndJpeg_AnyMutation_GivesAPictureOrTheOneException()
    {
        using var folder = new TempFolder();
        await RunAsync("gif", folder.Path);
        await RunAsync("jpeg", folder.Path);
        var options = new DecodeOptions { MaxFrameBytes = 1 << 20 };
        var random = new Random(1);
        foreach (var name in new[] { "p16.gif", "clear.gif", "local.gif", "420.jpg", "cmyk.jpg", "progressive.jpg" })
        {
            var good = await File.ReadAllBytesAsync(folder.Combine(name));
            for (var i = 0; i < 150; i++)
            {
                var broken = (byte[])good.Clone();
                for (var n = random.Next(1, 5); n > 0; n--) broken[random.Next(broken.Length)] = (byte)random.Next(256);
                var file = new ReadOnlySequence<byte>(broken, 0, i % 5 == 0 ? random.Next(broken.Length) : broken.Length);
                var pixels = new ArrayBufferWriter<byte>();
                try
                {
                    var info = name.EndsWith("gif", StringComparison.Ordinal) ? GifDecoder.Decode(file, pixels, options, CancellationToken.None) : JpegDecoder.Decode(file, pixels, options, CancellationToken.None);
                    Assert.Equal(info.ByteLength, pixels.WrittenCount);
                }
                catch (InvalidFrameException)
                {
                    Assert.Equal(0, pixels.WrittenCount);
                }
            }
        }
    }

    private static void AssertEveryTruncationThrows(byte[] file, Action<ReadOnlySequence<byte>, IBufferWriter<byte>> decode, int from, bool isWholeWithoutEnd)
    {
        // The last bytes of a GIF (end code, empty block, trailer; all later pictures of an animation) add nothing to the first picture.
        var step = Math.Max(1, file.Length / 23);
        for (var length = from; length < (isWholeWithoutEnd ? file.Length / 3 : file.Length); length += step)
        {
            var pixels = new ArrayBufferWriter<byte>();
            Assert.Throws<InvalidFrameException>(() => decode(new ReadOnlySequence<byte>(file, 0, length), pixels));
            Assert.Equal(0, pixels.WrittenCount);
        }
    }

    private static void AssertNear(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, int tolerance, string file)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{Path.GetFileName(file)} at {i}: {expected[i]} expected, {actual[i]} found");
    }

    private static async Task RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "pictures.py"), .. arguments]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }
}
