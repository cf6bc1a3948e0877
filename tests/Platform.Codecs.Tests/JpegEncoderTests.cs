using System.Buffers;
using System.Diagnostics;
using Platform.Codecs.Jpeg;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

public sealed class JpegEncoderTests
{
    [Theory]
    [InlineData(1, 1, 1, 75)]
    [InlineData(1, 1, 3, 75)]
    [InlineData(64, 48, 1, 90)]
    [InlineData(67, 45, 1, 100)]
    [InlineData(67, 45, 3, 85)]
    [InlineData(130, 33, 3, 95)]
    [InlineData(17, 16, 3, 10)]
    public void Encode_SmoothPicture_DecodesCloseToIt(int width, int height, int channels, int quality)
    {
        var pixels = Gradient(width, height, channels);
        var stream = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(pixels, width, height, channels, quality, stream, CancellationToken.None);
        var decoded = new ArrayBufferWriter<byte>();
        new JpegFrameDecoder().Decode(new ReadOnlySequence<byte>(stream.WrittenMemory), Frame(width, height, channels), decoded, new DecodeOptions(), CancellationToken.None);
        Assert.True(RootMeanSquare(pixels, decoded.WrittenSpan) < (quality < 50 ? 12 : 4), $"{RootMeanSquare(pixels, decoded.WrittenSpan)}");
    }

    [ToolTheory("djpeg")]
    [InlineData(67, 45, 1, 90)]
    [InlineData(67, 45, 3, 80)]
    [InlineData(67, 45, 3, 95)]
    public async Task Encode_AnyPicture_IndependentDecoderSeesWhatOursSees(int width, int height, int channels, int quality)
    {
        var stream = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(Gradient(width, height, channels), width, height, channels, quality, stream, CancellationToken.None);
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "picture.jpg");
        await File.WriteAllBytesAsync(path, stream.WrittenMemory);
        using var process = Process.Start(new ProcessStartInfo("djpeg", ["-pnm", path]) { RedirectStandardOutput = true })!;
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);

        var decoded = new ArrayBufferWriter<byte>();
        new JpegFrameDecoder().Decode(new ReadOnlySequence<byte>(stream.WrittenMemory), Frame(width, height, channels), decoded, new DecodeOptions(), CancellationToken.None);
        Assert.Equal(output.ToArray()[^decoded.WrittenCount..], decoded.WrittenSpan.ToArray());
    }

    [Fact]
    public void Decode_EveryTruncation_ThrowsAndWritesNothing()
    {
        var stream = new ArrayBufferWriter<byte>();
        new JpegFrameEncoder().Encode(RleTests.Pixels(40 * 30 * 3, 5), 40, 30, 3, 85, stream, CancellationToken.None);
        for (var length = 0; length < stream.WrittenCount - 3; length++) // without EOI, and the last bits' padding, it is whole
        {
            var decoded = new ArrayBufferWriter<byte>();
            Assert.Throws<InvalidFrameException>(() =>
                new JpegFrameDecoder().Decode(new ReadOnlySequence<byte>(stream.WrittenMemory[..length]), Frame(40, 30, 3), decoded, new DecodeOptions(), CancellationToken.None));
            Assert.Equal(0, decoded.WrittenCount);
        }
    }

    private static FrameDescription Frame(int width, int height, int channels) =>
        new(height, width, channels, 8, 8, false, false, channels == 3 ? Photometric.Rgb : Photometric.Monochrome2);

    internal static byte[] Gradient(int width, int height, int channels)
    {
        var pixels = new byte[width * height * channels];
        for (var i = 0; i < pixels.Length; i++)
        {
            int pixel = i / channels, x = pixel % width, y = pixel / width, channel = i % channels;
            pixels[i] = (byte)(127 + 100 * Math.Sin(x / 17.0 + channel) * Math.Cos(y / 23.0));
        }
        return pixels;
    }

    private static double RootMeanSquare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        double sum = 0;
        for (var i = 0; i < a.Length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return Math.Sqrt(sum / a.Length);
    }
}
