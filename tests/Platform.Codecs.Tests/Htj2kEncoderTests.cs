using System.Buffers;
using System.Security.Cryptography;
using Platform.Codecs.Htj2k;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

public sealed class Htj2kEncoderTests
{
    private static readonly FrameDescription Grey = new(117, 203, 1, 16, 12, false, false, Photometric.Monochrome2);
    private static readonly FrameDescription Colour = new(117, 203, 3, 8, 8, false, false, Photometric.Rgb);

    public static TheoryData<int, int, int, int, int, bool> Shapes() => new()
    {
        { 1, 1, 1, 16, 16, true }, { 1, 1, 3, 8, 8, false }, { 1, 77, 1, 16, 12, false }, { 77, 1, 1, 16, 12, true }, { 2, 3, 1, 8, 8, true },
        { 64, 64, 1, 16, 16, false }, { 65, 63, 1, 16, 16, true }, { 130, 257, 1, 8, 8, false }, { 100, 90, 3, 8, 8, false }, { 41, 43, 3, 16, 16, false },
        { 33, 35, 1, 16, 9, true }, { 57, 300, 1, 8, 1, false }, { 300, 2100, 1, 8, 5, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Encode_AnyPixels_DecodesToTheSame(int rows, int columns, int samples, int allocated, int stored, bool isSigned)
    {
        var frame = new FrameDescription(rows, columns, samples, allocated, stored, isSigned, false, samples == 3 ? Photometric.Rgb : Photometric.Monochrome2);
        for (var seed = 0; seed < 4; seed++)
        {
            var pixels = Htj2kDecoderTests.Picture(frame, seed);
            Htj2kDecoderTests.AssertSame(pixels, Htj2kDecoderTests.Decode(Encode(pixels, frame), frame, out var produced, new DecodeOptions()), frame);
            Assert.Equal(frame, produced);
        }
    }

    [Fact]
    public void Encode_OneValueEverywhere_IsAFewBytes()
    {
        var pixels = new byte[Grey.ByteLength];
        Assert.InRange(Encode(pixels, Grey).Length, 100, 330);
    }

    [Fact]
    public void Encode_ScalarTwin_GivesTheSameBytes()
    {
        foreach (var frame in new[] { Grey, Colour, Grey with { BitsStored = 16, IsSigned = true }, Grey with { Rows = 3, Columns = 1027 } })
        {
            for (var seed = 0; seed < 4; seed++)
            {
                var pixels = Htj2kDecoderTests.Picture(frame, seed);
                Assert.Equal(Encode(pixels, frame), Encode(pixels, frame, new Htj2kFrameEncoder(new CodestreamEncoder(isVectorized: false))));
            }
        }
    }

    /// <summary>When this fails because the bytes were meant to change, the recipe needs a new version.</summary>
    [Theory]
    [InlineData(0, "303a9b413f0d8a15")]
    [InlineData(1, "fc2c1d32a4f02517")]
    [InlineData(2, "9f0d175fcd1a478e")]
    public void Encode_KnownPixels_GivesTheBytesOfTheRecipe(int seed, string digest)
    {
        Assert.Equal("htj2k-rpcl/1", new Htj2kFrameEncoder().Recipe);
        // Integers alone: no library's sine decides.
        var pixels = new byte[Grey.ByteLength];
        uint state = 12345 + (uint)seed;
        for (var i = 0; i < pixels.Length / 2; i++)
        {
            state = state * 1664525 + 1013904223;
            int x = i % Grey.Columns, y = i / Grey.Columns, noise = (int)(state >> (seed == 0 ? 29 : seed == 1 ? 25 : 21));
            var value = Math.Min(4095, (x * x + 3 * x * y) / 40 % 2000 + noise);
            (pixels[2 * i], pixels[2 * i + 1]) = ((byte)value, (byte)(value >> 8));
        }
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(Encode(pixels, Grey)))[..16]);
    }

    [ToolTheory("ojph_expand")]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(false, 3)]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    public async Task Encode_AnyPixels_OpenJphDecodesThemWholeAndCut(bool isColour, int seed)
    {
        var frame = isColour ? Colour : Grey;
        var pixels = Htj2kDecoderTests.Picture(frame, seed);
        var ends = new List<long>();
        var stream = Encode(pixels, frame, ends: ends);
        Assert.Equal(6, ends.Count);
        Assert.Equal(stream.Length, ends[^1]);
        Assert.Equal(pixels, await OpenJph.ExpandAsync(stream, isColour));
        for (var reduce = 1; reduce <= 5; reduce++)
        {
            var prefix = stream[..(int)ends[5 - reduce]];
            var expected = await OpenJph.ExpandAsync(stream, isColour, reduce);
            Assert.Equal(expected, Htj2kDecoderTests.Decode(prefix, frame, out var produced, new DecodeOptions { ReduceLevels = reduce }));
            Assert.Equal(expected, await OpenJph.ExpandAsync(prefix, isColour, reduce));
            Assert.Equal(((frame.Rows - 1 >> reduce) + 1, (frame.Columns - 1 >> reduce) + 1), (produced.Rows, produced.Columns));
        }
    }

    [ToolTheory("ojph_compress")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Encode_AnyPixels_IsWithinOnePercentOfOpenJph(bool isColour)
    {
        var frame = isColour ? Colour with { Rows = 512, Columns = 512 } : Grey with { Rows = 512, Columns = 512 };
        for (var seed = 0; seed < 4; seed++)
        {
            var pixels = Htj2kDecoderTests.Picture(frame, seed);
            var theirs = await OpenJph.CompressAsync(pixels, frame, "-reversible", "true");
            Assert.InRange(Encode(pixels, frame).Length, 0, theirs.Length * 1.01);
        }
    }

    [Fact]
    public void Encode_PixelsBeyondTheBitsStored_Throws()
    {
        var pixels = Htj2kDecoderTests.Picture(Grey with { BitsStored = 16 }, 3);
        Assert.Throws<ArgumentException>(() => Encode(pixels, Grey with { BitsStored = 4 }));
        Assert.Throws<ArgumentException>(() => Encode(pixels, Grey with { IsPlanar = true }));
        Assert.Throws<ArgumentException>(() => Encode(pixels[1..], Grey));
    }

    internal static byte[] Encode(byte[] pixels, FrameDescription frame, Htj2kFrameEncoder? encoder = null, List<long>? ends = null)
    {
        var stream = new ArrayBufferWriter<byte>();
        (encoder ?? new Htj2kFrameEncoder()).Encode(pixels, frame, stream, ends, CancellationToken.None);
        return stream.WrittenSpan.ToArray();
    }
}
