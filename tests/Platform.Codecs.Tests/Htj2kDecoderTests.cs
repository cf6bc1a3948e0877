using System.Buffers;
using System.Buffers.Binary;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg2000;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

public sealed class Htj2kDecoderTests
{
    private static readonly FrameDescription Grey12 = new(117, 203, 1, 16, 12, false, false, Photometric.Monochrome2);
    private static readonly FrameDescription Colour = new(117, 203, 3, 8, 8, false, false, Photometric.Rgb);

    public static TheoryData<string> Settings() => new()
    {
        "", "-prog_order LRCP", "-prog_order RLCP", "-prog_order PCRL", "-prog_order CPRL",
        "-block_size {32,32}", "-block_size {4,4}", "-block_size {4,1024}", "-block_size {1024,4}", "-block_size {32,128}",
        "-num_decomps 0", "-num_decomps 1", "-num_decomps 8",
        "-precincts {64,64},{32,32},{128,64}", "-precincts {128,128} -prog_order PCRL", "-precincts {16,16},{32,64} -prog_order CPRL -num_decomps 3", "-precincts {128,128} -prog_order LRCP",
        "-image_offset {13,7}", "-tile_size {64,50}", "-tile_size {33,33} -image_offset {5,9} -tile_offset {3,2} -num_decomps 3", "-tile_size {128,128} -prog_order PCRL -precincts {64,64}",
    };

    [ToolTheory("ojph_compress")]
    [MemberData(nameof(Settings))]
    public async Task Decode_AnySetting_GivesThePixels(string settings)
    {
        foreach (var frame in new[] { Grey12, Colour })
        {
            var pixels = Picture(frame, 1);
            var stream = await OpenJph.CompressAsync(pixels, frame, ["-reversible", "true", .. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
            AssertSame(pixels, Decode(stream, frame), frame);
        }
    }

    [ToolTheory("ojph_compress")]
    [InlineData(8, false)]
    [InlineData(8, true)]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(12, true)]
    [InlineData(14, false)]
    [InlineData(16, false)]
    [InlineData(16, true)]
    public async Task Decode_AnyDepth_GivesThePixels(int bits, bool isSigned)
    {
        var frame = new FrameDescription(70, 131, 1, bits > 8 ? 16 : 8, bits, isSigned, false, Photometric.Monochrome2);
        for (var seed = 0; seed < 4; seed++) // from smooth to noise over the full range
        {
            var pixels = Picture(frame, seed);
            var stream = await OpenJph.CompressAsync(pixels, frame, "-reversible", "true");
            AssertSame(pixels, Decode(stream, frame), frame);
        }
    }

    [ToolTheory("ojph_compress")]
    [InlineData(1, 1)]
    [InlineData(1, 50)]
    [InlineData(50, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 67)]
    [InlineData(64, 64)]
    [InlineData(65, 129)]
    public async Task Decode_AnySize_GivesThePixels(int rows, int columns)
    {
        var frame = Grey12 with { Rows = rows, Columns = columns };
        var pixels = Picture(frame, 2);
        var stream = await OpenJph.CompressAsync(pixels, frame, "-reversible", "true");
        AssertSame(pixels, Decode(stream, frame), frame);
    }

    [ToolTheory("ojph_compress", "ojph_expand")]
    [InlineData("RPCL", "")]
    [InlineData("LRCP", "-image_offset {13,7}")]
    [InlineData("PCRL", "-precincts {64,64}")]
    [InlineData("RLCP", "-tile_size {64,50} -image_offset {5,9}")]
    public async Task Decode_LowerResolution_EqualsOpenJph(string order, string settings)
    {
        var stream = await OpenJph.CompressAsync(Picture(Grey12, 1), Grey12, ["-reversible", "true", "-prog_order", order, .. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        for (var reduce = 1; reduce <= 4; reduce++) // ojph_expand crashes on 5 with an offset
        {
            var decoded = Decode(stream, Grey12, out var produced, new DecodeOptions { ReduceLevels = reduce });
            if (settings.Length == 0) Assert.Equal((TileLayout.CeilShift(117, reduce), TileLayout.CeilShift(203, reduce)), (produced.Rows, produced.Columns));
            AssertSame(await OpenJph.ExpandAsync(stream, false, reduce), decoded, produced);
        }
    }

    [ToolTheory("ojph_compress", "ojph_expand")]
    [InlineData(false, "0.001")]
    [InlineData(false, "0.02")]
    [InlineData(true, "0.001")]
    [InlineData(true, "0.02")]
    public async Task Decode_Irreversible_IsWithinOneOfOpenJph(bool isColour, string step)
    {
        var frame = isColour ? Colour : Grey12;
        var stream = await OpenJph.CompressAsync(Picture(frame, 1), frame, "-qstep", step);
        var expected = await OpenJph.ExpandAsync(stream, isColour);
        var decoded = Decode(stream, frame);
        Assert.Equal(expected.Length, decoded.Length);
        for (var i = 0; i < expected.Length; i += frame.BytesPerSample) Assert.InRange(Sample(expected, i, frame) - Sample(decoded, i, frame), -1, 1);
    }

    [ToolFact("ojph_compress")]
    public async Task Decode_ScalarTwin_GivesTheSamePixels()
    {
        foreach (var frame in new[] { Grey12, Colour, Grey12 with { BitsStored = 16, IsSigned = true } })
        {
            var pixels = Picture(frame, 3);
            var stream = await OpenJph.CompressAsync(pixels, frame, "-reversible", "true", "-image_offset", "{13,7}");
            var decoded = new ArrayBufferWriter<byte>();
            new CodestreamDecoder(isVectorized: false).Decode(new ReadOnlySequence<byte>(stream), frame, decoded, new DecodeOptions(), CancellationToken.None);
            AssertSame(pixels, decoded.WrittenSpan.ToArray(), frame);
        }
    }

    [ToolFact("ojph_compress")]
    public async Task Decode_BoxesAroundTheStream_GivesThePixels()
    {
        var pixels = Picture(Grey12, 1);
        var stream = await OpenJph.CompressAsync(pixels, Grey12, "-reversible", "true");
        byte[] wrapped = [0, 0, 0, 12, .. "jP  \r\n\u0087\n"u8[..4], 13, 10, 0x87, 10, 0, 0, 0, 20, .. "ftypjph \0\0\0\0jph "u8, 0, 0, 0, 0, .. "jp2c"u8, .. stream];
        AssertSame(pixels, Decode(wrapped, Grey12), Grey12);
    }

    [ToolFact("ojph_compress")]
    public async Task Decode_CutStream_ThrowsUnlessAllowed()
    {
        var stream = await OpenJph.CompressAsync(Picture(Grey12, 1), Grey12, "-reversible", "true");
        for (var length = 0; length < stream.Length - 2; length += Math.Max(1, length / 40))
        {
            var decoded = new ArrayBufferWriter<byte>();
            Assert.Throws<InvalidFrameException>(() =>
                new Htj2kFrameDecoder().Decode(new ReadOnlySequence<byte>(stream.AsMemory(0, length)), Grey12, decoded, new DecodeOptions(), CancellationToken.None));
            Assert.Equal(0, decoded.WrittenCount);
        }
        var whole = Decode(stream, Grey12);
        var partial = Decode(stream[..(stream.Length / 2)], Grey12, out _, new DecodeOptions { AllowTruncated = true });
        double sum = 0;
        for (var i = 0; i < whole.Length; i += 2) sum += Math.Abs(Sample(whole, i, Grey12) - Sample(partial, i, Grey12));
        Assert.InRange(sum / (whole.Length / 2), 0.1, 40); // close, not equal
    }

    private static byte[] Decode(byte[] stream, FrameDescription frame) => Decode(stream, frame, out _, new DecodeOptions());

    internal static byte[] Decode(byte[] stream, FrameDescription frame, out FrameDescription produced, DecodeOptions options)
    {
        var decoded = new ArrayBufferWriter<byte>();
        produced = new Htj2kFrameDecoder().Decode(RleTests.Split(stream, 1), frame, decoded, options, CancellationToken.None);
        Assert.Equal(produced.ByteLength, decoded.WrittenCount);
        return decoded.WrittenSpan.ToArray();
    }

    internal static int Sample(ReadOnlySpan<byte> pixels, int at, in FrameDescription frame) => frame.BytesPerSample == 1
        ? frame.IsSigned ? (sbyte)pixels[at] : pixels[at]
        : frame.IsSigned ? BinaryPrimitives.ReadInt16LittleEndian(pixels[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(pixels[at..]);

    internal static void AssertSame(byte[] expected, byte[] actual, in FrameDescription frame)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i += frame.BytesPerSample)
        {
            int e = Sample(expected, i, frame), a = Sample(actual, i, frame), pixel = i / frame.BytesPerSample / frame.SamplesPerPixel;
            Assert.True(e == a, $"row {pixel / frame.Columns}, column {pixel % frame.Columns}: {a} instead of {e}");
        }
    }

    /// <summary>A picture of waves; with seeds from 0 to 3 ever more noise, at last nothing else. Every stored bit is used.</summary>
    internal static byte[] Picture(FrameDescription frame, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[frame.ByteLength];
        double half = 1 << (frame.BitsStored - 1);
        for (var i = 0; i < pixels.Length / frame.BytesPerSample; i++)
        {
            int pixel = i / frame.SamplesPerPixel, x = pixel % frame.Columns, y = pixel / frame.Columns, channel = i % frame.SamplesPerPixel;
            var wave = 0.6 * Math.Sin(x / 17.0 + channel) * Math.Cos(y / 23.0) + (x > 100 && y > 60 ? 0.3 : 0);
            var noise = 2 * random.NextDouble() - 1;
            var value = seed switch { 0 => wave, 1 => wave + 0.01 * noise, 2 => wave + 0.3 * noise, _ => 1.5 * noise };
            var sample = (int)Math.Clamp(Math.Round(value * half), -half, half - 1) + (frame.IsSigned ? 0 : (int)half);
            if (frame.BytesPerSample == 1) pixels[i] = (byte)sample;
            else BinaryPrimitives.WriteInt16LittleEndian(pixels.AsSpan(2 * i), (short)sample);
        }
        return pixels;
    }
}
