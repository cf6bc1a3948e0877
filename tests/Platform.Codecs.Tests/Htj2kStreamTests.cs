using System.Buffers;
using Platform.Codecs.Htj2k;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

public sealed class Htj2kStreamTests
{
    private static readonly FrameDescription Grey = new(300, 203, 1, 16, 12, false, false, Photometric.Monochrome2);

    [Theory]
    [InlineData(300, 203, 1)]
    [InlineData(300, 203, 3)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 500, 1)]
    public void ReadResolutionEnds_OurStream_TellsWhatTheEncoderTold(int rows, int columns, int samples)
    {
        var frame = Grey with { Rows = rows, Columns = columns, SamplesPerPixel = samples, Photometric = samples == 3 ? Photometric.Rgb : Photometric.Monochrome2 };
        var ends = new List<long>();
        var stream = Htj2kEncoderTests.Encode(Htj2kDecoderTests.Picture(frame, 1), frame, ends: ends);
        Assert.Equal(ends, Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream)));
        Assert.Equal(ends, Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream.AsMemory(0, 250 + 10 * samples)))); // its beginning
        Assert.Equal(stream.Length, ends[^1]);
    }

    [ToolTheory("ojph_compress")]
    [InlineData("RPCL", "")]
    [InlineData("RPCL", "-precincts {64,64}")]
    [InlineData("RLCP", "")]
    [InlineData("LRCP", "-precincts {128,64}")]
    public async Task ReadResolutionEnds_StreamOfOpenJph_EachPrefixDecodesAtItsResolution(string order, string settings)
    {
        var stream = await OpenJph.CompressAsync(Htj2kDecoderTests.Picture(Grey, 1), Grey, ["-reversible", "true", "-prog_order", order, .. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        var ends = Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream));
        Assert.Equal(6, ends.Length);
        Assert.Equal(stream.Length, ends[^1]);
        for (var reduce = 0; reduce <= 5; reduce++)
        {
            var options = new DecodeOptions { ReduceLevels = reduce };
            var expected = Htj2kDecoderTests.Decode(stream, Grey, out _, options);
            Assert.Equal(expected, Htj2kDecoderTests.Decode(stream[..(int)ends[5 - reduce]], Grey, out _, options));
            Assert.Throws<InvalidFrameException>(() => Htj2kDecoderTests.Decode(stream[..((int)ends[5 - reduce] - 3)], Grey, out _, options));
        }
        Assert.Empty(Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream.AsMemory(0, stream.Length / 2))));
    }

    [ToolTheory("ojph_compress")]
    [InlineData("-prog_order PCRL")]
    [InlineData("-prog_order CPRL")]
    [InlineData("-tile_size {64,64}")]
    public async Task ReadResolutionEnds_ResolutionsApart_AreNone(string settings)
    {
        var stream = await OpenJph.CompressAsync(Htj2kDecoderTests.Picture(Grey, 1), Grey, ["-reversible", "true", .. settings.Split(' ')]);
        Assert.Empty(Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream)));
    }

    [Fact]
    public void ReadResolutionEnds_SizeIsALie_IsRefusedInLittleMemory()
    {
        var stream = Htj2kEncoderTests.Encode(Htj2kDecoderTests.Picture(Grey, 1), Grey);
        foreach (var at in new[] { 8, 12, 24, 28 }) stream.AsSpan(at, 4).Fill(0x1F);     // SIZ: the picture's and the tile's width and height
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidFrameException>(() => Htj2kStream.ReadResolutionEnds(new ReadOnlySequence<byte>(stream)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
    }
}
