using System.Buffers;
using System.Diagnostics;
using System.Text;
using Platform.Codecs.WebP;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>WebP by libwebp, read back by dwebp. Where the library is missing pictures are JPEG, and these tests cannot say more.</summary>
public sealed class WebpEncoderTests
{
    [Fact]
    public void IsAvailable_WhereTheToolIs_IsTrue()
    {
        // eng/install.sh brings both; a machine with the tool and no encoder would silently serve larger pictures.
        if (ToolPath.Find("dwebp") is not null) Assert.True(WebpEncoder.IsAvailable);
    }

    [ToolTheory("dwebp")]
    [InlineData(1, 1, 1, 90, 3)]
    [InlineData(1, 1, 3, 90, 3)]
    [InlineData(67, 45, 1, 90, 2)]
    [InlineData(67, 45, 3, 90, 4)]
    [InlineData(130, 33, 1, 20, 8)]
    [InlineData(128, 128, 3, 50, 6)]
    public async Task Encode_Lossy_ReadsBackCloseToIt(int width, int height, int channels, int quality, double rootMeanSquare)
    {
        var pixels = JpegEncoderTests.Gradient(width, height, channels);
        var frame = new FrameDescription(height, width, channels, 8, 8, false, false, channels == 3 ? Photometric.Rgb : Photometric.Monochrome2);
        var stream = new ArrayBufferWriter<byte>();
        WebpEncoder.Encode(pixels, frame, quality, stream, CancellationToken.None);
        var decoded = await DecodeAsync(stream.WrittenMemory, width, height);
        double sum = 0;
        for (var i = 0; i < width * height * 3; i++)
        {
            var expected = channels == 1 ? pixels[i / 3] : pixels[i];
            var difference = expected - decoded[(i / 3 * 4) + (i % 3)];
            sum += difference * difference;
        }
        Assert.True(Math.Sqrt(sum / (width * height * 3)) < rootMeanSquare, $"{Math.Sqrt(sum / (width * height * 3))}");
    }

    [ToolTheory("dwebp")]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Encode_Lossless_ReadsBackExactly(int channels)
    {
        const int width = 53, height = 31;
        var pixels = RleTests.Pixels(width * height * channels, 7);
        var stream = new ArrayBufferWriter<byte>();
        WebpEncoder.Encode(pixels, width, height, channels, new WebpOptions { IsLossless = true }, stream, CancellationToken.None);
        var decoded = await DecodeAsync(stream.WrittenMemory, width, height);
        for (var i = 0; i < width * height; i++)
        {
            for (var channel = 0; channel < 4; channel++)
            {
                var expected = channel == 3 ? channels == 4 ? pixels[4 * i + 3] : 255 : channels == 1 ? pixels[i] : pixels[channels * i + channel];
                Assert.Equal(expected, decoded[4 * i + channel]);
            }
        }
    }

    [ToolFact("dwebp")]
    public async Task Encode_ManyAtOnce_GivesTheSameBytesEachTime()
    {
        var pictures = Enumerable.Range(0, 4).Select(i => JpegEncoderTests.Gradient(60 + i, 40, i % 2 == 0 ? 1 : 3)).ToArray();
        var expected = pictures.Select((_, i) => Encode(i)).ToArray();
        await Parallel.ForAsync(0, 200, (i, _) =>
        {
            Assert.Equal(expected[i % 4], Encode(i % 4));
            return ValueTask.CompletedTask;
        });

        byte[] Encode(int i)
        {
            var stream = new ArrayBufferWriter<byte>();
            WebpEncoder.Encode(pictures[i], 60 + i, 40, i % 2 == 0 ? 1 : 3, new WebpOptions(), stream, CancellationToken.None);
            return stream.WrittenSpan.ToArray();
        }
    }

    [ToolFact("dwebp")]
    public void Encode_WriterThrows_ItsExceptionComesOut() =>
        Assert.Throws<EndOfStreamException>(() => WebpEncoder.Encode(new byte[64 * 64], 64, 64, 1, new WebpOptions(), new FullWriter(), CancellationToken.None));

    [ToolFact("dwebp")]
    public async Task Encode_CancelledUnderway_Stops()
    {
        using var source = new CancellationTokenSource();
        var pixels = new byte[3000 * 3000 * 3];
        Random.Shared.NextBytes(pixels);
        var work = Task.Run(() => WebpEncoder.Encode(pixels, 3000, 3000, 3, new WebpOptions { Effort = 6 }, new ArrayBufferWriter<byte>(), source.Token));
        await Task.Delay(20);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [ToolFact("dwebp")]
    public void Encode_WhatWebpCannotHold_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => WebpEncoder.Encode(new byte[WebpEncoder.MaxSide + 1], WebpEncoder.MaxSide + 1, 1, 1, new WebpOptions(), new ArrayBufferWriter<byte>(), CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebpEncoder.Encode(new byte[8], 2, 2, 2, new WebpOptions(), new ArrayBufferWriter<byte>(), CancellationToken.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebpEncoder.Encode(new byte[3], 2, 2, 1, new WebpOptions(), new ArrayBufferWriter<byte>(), CancellationToken.None));
    }

    /// <summary>The pixels as red, green, blue, alpha.</summary>
    private static async Task<byte[]> DecodeAsync(ReadOnlyMemory<byte> file, int width, int height)
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder.Combine("a.webp"), file);
        using var process = Process.Start(new ProcessStartInfo("dwebp", ["-quiet", "-pam", folder.Combine("a.webp"), "-o", folder.Combine("a.pam")]))!;
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        var pam = await File.ReadAllBytesAsync(folder.Combine("a.pam"));
        Assert.Contains($"WIDTH {width}\nHEIGHT {height}\nDEPTH 4\n", Encoding.ASCII.GetString(pam.AsSpan(0, 64)));
        return pam[^(width * height * 4)..];
    }

    private sealed class FullWriter : IBufferWriter<byte>
    {
        public void Advance(int count) => throw new EndOfStreamException();

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new EndOfStreamException();

        public Span<byte> GetSpan(int sizeHint = 0) => throw new EndOfStreamException();
    }
}
