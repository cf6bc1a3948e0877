using System.Buffers;
using System.Diagnostics;
using System.IO.Compression;
using Platform.Codecs.Deflated;
using Platform.Codecs.Png;
using Platform.Codecs.Tests.Fuzz;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>PNG both ways against Pillow, and frames that are merely deflated.</summary>
public sealed class PngTests
{
    [ToolTheory("/usr/lib/python3/dist-packages/PIL/__init__.py")]
    [InlineData(40, 52, 1, 8, "L")]
    [InlineData(40, 52, 3, 8, "RGB")]
    [InlineData(33, 47, 1, 16, "I")]
    [InlineData(1, 300, 1, 8, "L")]
    public async Task Encode_AnyImage_ReadsTheSameElsewhere(int rows, int columns, int samples, int bits, string mode)
    {
        var (frame, pixels) = JpegLsTests.Make(rows, columns, samples, bits, bits, false, "steps");
        using var folder = new TempFolder();
        var (file, read) = (folder.Combine("a.png"), folder.Combine("a.pixels"));
        await File.WriteAllBytesAsync(file, Encode(pixels, frame));
        var output = await RunAsync("read", file, read);
        Assert.Equal($"{mode} {columns} {rows}", output.Trim());
        Assert.Equal(pixels, await File.ReadAllBytesAsync(read));
    }

    [Theory]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void Encode_ThenDecode_GivesThePixels(CompressionLevel level)
    {
        foreach (var (samples, bits) in (ReadOnlySpan<(int, int)>)[(1, 8), (3, 8), (1, 16), (3, 16)])
        {
            var (frame, pixels) = JpegLsTests.Make(61, 47, samples, bits, bits, false, "smooth");
            var stream = new ArrayBufferWriter<byte>();
            new PngFrameEncoder(level).Encode(pixels, frame, stream, null, CancellationToken.None);
            var decoded = new ArrayBufferWriter<byte>();
            var info = PngDecoder.Decode(new ReadOnlySequence<byte>(stream.WrittenMemory), decoded, new DecodeOptions(), CancellationToken.None);
            Assert.Equal(new PictureInfo(47, 61, samples, bits), info);
            Assert.Equal(info, PngDecoder.ReadInfo(stream.WrittenSpan));
            Assert.Equal(pixels, decoded.WrittenSpan.ToArray());
        }
    }

    [Fact]
    public async Task Encode_ManyAtOnce_NoneSeesAnothersBytes()
    {
        // A buffer that goes back to the pool twice is lent to two encoders at once.
        var images = Enumerable.Range(0, 8).Select(i => JpegLsTests.Make(100 + i, 90, 1, 8, 8, false, i % 2 == 0 ? "noise" : "steps")).ToArray();
        await Parallel.ForAsync(0, 400, (i, _) =>
        {
            var (frame, pixels) = images[i % images.Length];
            var decoded = new ArrayBufferWriter<byte>();
            PngDecoder.Decode(new ReadOnlySequence<byte>(Encode(pixels, frame)), decoded, new DecodeOptions(), CancellationToken.None);
            Assert.True(decoded.WrittenSpan.SequenceEqual(pixels));
            return ValueTask.CompletedTask;
        });
    }

    [ToolFact("/usr/lib/python3/dist-packages/PIL/__init__.py")]
    public async Task Decode_EveryKind_EqualsPillow()
    {
        using var folder = new TempFolder();
        await RunAsync("write", folder.Path);
        var files = Directory.GetFiles(folder.Path, "*.png");
        Assert.Equal(13, files.Length);
        foreach (var file in files)
        {
            var pixels = new ArrayBufferWriter<byte>();
            var info = PngDecoder.Decode(new ReadOnlySequence<byte>(await File.ReadAllBytesAsync(file)), pixels, new DecodeOptions(), CancellationToken.None);
            Assert.Equal(await File.ReadAllTextAsync(Path.ChangeExtension(file, "txt")), $"{info.Width} {info.Height} {info.Channels} {info.BitsPerSample}");
            var expected = await File.ReadAllBytesAsync(Path.ChangeExtension(file, "pixels"));
            Assert.True(pixels.WrittenSpan.SequenceEqual(expected), Path.GetFileName(file));
        }
    }

    [DataFact("photos")]
    public async Task Decode_RealPhotos_EqualPillow()
    {
        foreach (var file in TestData.GetFiles("photos").Where(f => f.EndsWith(".png", StringComparison.Ordinal)))
        {
            using var folder = new TempFolder();
            await RunAsync("read", file, folder.Combine("pixels"));
            var pixels = new ArrayBufferWriter<byte>();
            PngDecoder.Decode(new ReadOnlySequence<byte>(await File.ReadAllBytesAsync(file)), pixels, new DecodeOptions(), CancellationToken.None);
            var expected = await File.ReadAllBytesAsync(folder.Combine("pixels"));
            Assert.True(pixels.WrittenSpan.SequenceEqual(expected), Path.GetFileName(file));
        }
    }

    [Fact]
    public void Decode_Bomb_ThrowsBeforeInflating()
    {
        var (frame, pixels) = JpegLsTests.Make(8, 8, 1, 8, 8, false, "flat");
        var bomb = Encode(pixels, frame);
        (bomb[16], bomb[17], bomb[18], bomb[20], bomb[21], bomb[22]) = (0, 0, 117, 0, 0, 117);      // 30,000 x 30,000
        Mutator.MendChecksums(bomb);
        var thrown = Assert.Throws<InvalidFrameException>(() => PngDecoder.Decode(new ReadOnlySequence<byte>(bomb), new ArrayBufferWriter<byte>(), new DecodeOptions { MaxFrameBytes = 64 << 20 }, CancellationToken.None));
        Assert.Contains("limit", thrown.Message);
    }

    [Fact]
    public void DeflatedFrame_Decode_GivesThePixels()
    {
        var (frame, pixels) = JpegLsTests.Make(40, 52, 1, 16, 12, true, "steps");
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(pixels);
        if (stream.Length % 2 == 1) stream.WriteByte(0);
        var encoded = stream.ToArray();
        var decoded = new ArrayBufferWriter<byte>();
        new DeflatedFrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), frame, decoded, new DecodeOptions(), CancellationToken.None);
        Assert.Equal(pixels, decoded.WrittenSpan.ToArray());
    }

    private static byte[] Encode(byte[] pixels, in FrameDescription frame)
    {
        var stream = new ArrayBufferWriter<byte>();
        new PngFrameEncoder().Encode(pixels, frame, stream, null, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "png.py"), .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
        return output;
    }
}
