using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Platform.Codecs.JpegLs;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>JPEG-LS both ways against CharLS within DCMTK and GDCM. Decoding of real files is in <see cref="OracleTests"/>.</summary>
public sealed class JpegLsTests
{
    public static TheoryData<int, int, int, int, int, bool, string> Shapes()
    {
        var data = new TheoryData<int, int, int, int, int, bool, string>();
        foreach (var image in (string[])["smooth", "noise", "flat", "steps"])
        {
            foreach (var (rows, columns, samples, allocated, stored, signed) in (ReadOnlySpan<(int, int, int, int, int, bool)>)
                     [(61, 47, 1, 8, 8, false), (40, 52, 1, 16, 12, false), (33, 64, 1, 16, 16, true), (33, 64, 1, 16, 16, false), (30, 31, 3, 8, 8, false), (1, 90, 1, 8, 8, false), (90, 1, 1, 16, 10, true), (20, 20, 1, 8, 5, false)])
                data.Add(rows, columns, samples, allocated, stored, signed, image);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Encode_AnyImage_DecodesToTheSamePixels(int rows, int columns, int samples, int allocated, int stored, bool signed, string image)
    {
        var (frame, pixels) = Make(rows, columns, samples, allocated, stored, signed, image);
        var encoded = Encode(pixels, frame);
        var decoded = new ArrayBufferWriter<byte>();
        var produced = new JpegLsFrameDecoder().Decode(new ReadOnlySequence<byte>(encoded), frame, decoded, new DecodeOptions(), CancellationToken.None);
        Assert.Equal(frame, produced);
        Assert.Equal(pixels, decoded.WrittenSpan.ToArray());
    }

    [ToolTheory("dcmdjpls", "gdcmconv")]
    [MemberData(nameof(Shapes))]
    public async Task Encode_AnyImage_DecodesElsewhere(int rows, int columns, int samples, int allocated, int stored, bool signed, string image)
    {
        var (frame, pixels) = Make(rows, columns, samples, allocated, stored, signed, image);
        var others = await DecodeElsewhereAsync(Encode(pixels, frame), "1.2.840.10008.1.2.4.80", frame, stored < 8 ? "gdcmconv -w" : "dcmdjpls");      // DCMTK refuses fewer than 8 bits
        var decoded = others.AsSpan(0, pixels.Length).ToArray();
        SampleBits.Normalize(decoded, frame);
        Assert.Equal(pixels, decoded);
    }

    [ToolTheory("dcmdjpls", "gdcmconv", Data = "ct-series-a")]
    [InlineData("ct-series-a", "dcmdjpls")]
    [InlineData("mr-series", "gdcmconv -w")]
    public async Task Encode_RealSeries_DecodesElsewhere(string folder, string tool)
    {
        var files = TestData.GetFiles(folder);
        for (var i = 0; i < files.Count; i += files.Count / 3)
        {
            var (frame, pixels) = await Htj2kSeriesTests.ReadAsync(files[i]);
            var decoded = (await DecodeElsewhereAsync(Encode(pixels, frame), "1.2.840.10008.1.2.4.80", frame, tool)).AsSpan(0, pixels.Length).ToArray();
            SampleBits.Normalize(decoded, frame);
            Assert.Equal(pixels, decoded);
        }
    }

    [Fact]
    public void Encode_SameImage_SameBytesAsEver()
    {
        // Another digest needs another recipe: streams that were kept are taken for equal to new ones.
        Assert.Equal("jpegls/1", new JpegLsFrameEncoder().Recipe);
        var (frame, pixels) = Make(64, 64, 1, 16, 12, false, "steps");
        Assert.Equal("2113ab89f0eff0a0ec729ec1f8df364e", Convert.ToHexStringLower(SHA256.HashData(Encode(pixels, frame)))[..32]);
    }

    [Fact]
    public void Decode_OtherSize_Throws()
    {
        var (frame, pixels) = Make(40, 52, 1, 16, 12, false, "smooth");
        var encoded = new ReadOnlySequence<byte>(Encode(pixels, frame));
        var decoder = new JpegLsFrameDecoder();
        Assert.Throws<InvalidFrameException>(() => decoder.Decode(encoded, frame with { Rows = 41 }, new ArrayBufferWriter<byte>(), new DecodeOptions(), CancellationToken.None));
        Assert.Throws<InvalidFrameException>(() => decoder.Decode(encoded, frame with { BitsAllocated = 8, BitsStored = 8 }, new ArrayBufferWriter<byte>(), new DecodeOptions(), CancellationToken.None));
        Assert.Throws<InvalidFrameException>(() => decoder.Decode(encoded, frame with { SamplesPerPixel = 3 }, new ArrayBufferWriter<byte>(), new DecodeOptions(), CancellationToken.None));
    }

    [Fact]
    public void Decode_CutOff_Throws()
    {
        var (frame, pixels) = Make(40, 52, 1, 16, 12, false, "noise");
        var encoded = Encode(pixels, frame);
        for (var length = 0; length < encoded.Length - 10; length += 101)
            Assert.Throws<InvalidFrameException>(() => new JpegLsFrameDecoder().Decode(new ReadOnlySequence<byte>(encoded, 0, length), frame, new ArrayBufferWriter<byte>(), new DecodeOptions(), CancellationToken.None));
    }

    private static byte[] Encode(byte[] pixels, in FrameDescription frame)
    {
        var stream = new ArrayBufferWriter<byte>();
        new JpegLsFrameEncoder().Encode(pixels, frame, stream, null, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }

    internal static (FrameDescription Frame, byte[] Pixels) Make(int rows, int columns, int samples, int allocated, int stored, bool signed, string image)
    {
        var frame = new FrameDescription(rows, columns, samples, allocated, stored, signed, false, samples == 3 ? Photometric.Rgb : Photometric.Monochrome2);
        var random = new Random(7);
        var pixels = new byte[frame.ByteLength];
        var range = 1 << stored;
        for (var i = 0; i < rows * columns * samples; i++)
        {
            var (row, column, component) = (i / samples / columns, i / samples % columns, i % samples);
            var value = image switch
            {
                "smooth" => (int)(range / 2 + range / 3.0 * Math.Sin(row / 9.0 + component) * Math.Cos(column / 7.0)),
                "noise" => random.Next(range),
                "flat" => range / 2 + (row == rows / 2 && column == columns / 2 ? 1 : 0),
                _ => (row / 7 + column / 11) % 3 * (range / 3) + (column % 13 == 5 ? random.Next(range / 8 + 1) : 0),
            };
            value &= range - 1;
            if (signed) value = value << (32 - stored) >> (32 - stored);
            if (allocated == 8) pixels[i] = (byte)value;
            else MemoryMarshal.Write(pixels.AsSpan(2 * i), (short)value);
        }
        return (frame, pixels);
    }

    internal static async Task<byte[]> DecodeElsewhereAsync(byte[] encoded, string syntax, FrameDescription frame, string tool)
    {
        using var folder = new TempFolder();
        var (stream, pixels) = (folder.Combine("stream"), folder.Combine("pixels"));
        await File.WriteAllBytesAsync(stream, encoded);
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "wrap.py"), stream, syntax, $"{frame.Rows}", $"{frame.Columns}", $"{frame.SamplesPerPixel}",
            $"{frame.BitsAllocated}", $"{frame.BitsStored}", frame.IsSigned ? "1" : "0", tool, pixels])
        { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
        return await File.ReadAllBytesAsync(pixels);
    }
}
