using System.Buffers;
using Platform.Codecs.Tests.Fuzz;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>What the exception tells of a broken frame: where, and in which marker's segment.</summary>
public sealed class BrokenFrameTests
{
    [ToolFact("ojph_compress", "opj_compress", "dcmcjpeg", "cjpeg")]
    public async Task Decode_CutAnywhere_TellsMarkerAndOffset()
    {
        foreach (var sample in await Corpus.MakeAsync())
        {
            if (sample.Name == "htj2k ends") continue;
            var hasMarkers = sample.Stream[0] == 0xFF;
            for (var length = 4; length < sample.Stream.Length - 12; length += Math.Max(1, sample.Stream.Length / 60))
            {
                var cut = sample.Stream[..length];
                var pixels = new ArrayBufferWriter<byte>();
                InvalidFrameException? thrown = null;
                try
                {
                    sample.Decode(cut, sample.Frame, pixels, new DecodeOptions(), CancellationToken.None);
                }
                catch (InvalidFrameException exception)
                {
                    thrown = exception;
                }
                // A progressive JPEG is a whole picture after each of its scans; Deflate does not mind what is behind the last pixel.
                if (thrown is null && (sample.Name.Contains("progressive") || sample.Name == "deflated")) continue;
                Assert.True(thrown is not null, $"{sample.Name} cut at {length} of {sample.Stream.Length} decodes");
                Assert.Equal(0, pixels.WrittenCount);
                Assert.InRange(thrown.Offset, 0, length);
                if (hasMarkers) Assert.InRange(thrown.Marker, 0xFF01, 0xFFFE);
                else if (!sample.Name.StartsWith("jpeg2000")) Assert.Equal(0, thrown.Marker);    // JP2's boxes come before its first marker
                Assert.Contains($"at byte {thrown.Offset} of the frame", thrown.Message);
            }
        }
    }

    [ToolFact("ojph_compress", "opj_compress", "dcmcjpeg", "cjpeg")]
    public async Task Decode_OtherSizeThanExpected_IsRefused()
    {
        foreach (var sample in await Corpus.MakeAsync())
        {
            if (sample.Name == "htj2k ends" || sample.Name.StartsWith("png") || sample.Name == "gif") continue;     // a picture file tells its own size
            foreach (var frame in new[] { sample.Frame with { Rows = sample.Frame.Rows + 1 }, sample.Frame with { Columns = sample.Frame.Columns * 2 }, sample.Frame with { SamplesPerPixel = 4 - sample.Frame.SamplesPerPixel } })
            {
                var pixels = new ArrayBufferWriter<byte>();
                Assert.Throws<InvalidFrameException>(() => sample.Decode(sample.Stream, frame, pixels, new DecodeOptions(), CancellationToken.None));
                Assert.Equal(0, pixels.WrittenCount);
            }
        }
    }
}
