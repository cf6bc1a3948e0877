using System.Buffers;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg;
using Platform.Codecs.JpegLs;
using Platform.Codecs.Rle;
using Platform.Codecs.Tests.Fuzz;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>Frame after frame nothing is left to the garbage collector: what codecs need is rented or kept per thread.</summary>
public sealed class AllocationTests
{
    private const int Frames = 100;

    // The runtime's inflater is an object with a handle; it does not grow with the frame.
    private static readonly string[] Inflated = ["deflated", "png"];

    [ToolFact("ojph_compress", "opj_compress", "dcmcjpeg", "cjpeg")]
    public async Task Decode_FrameAfterFrame_AllocatesNothing()
    {
        foreach (var sample in await Corpus.MakeAsync())
        {
            if (sample.Name == "htj2k ends") continue;      // gives an array
            var pixels = new ArrayBufferWriter<byte>(1 << 16);
            var options = new DecodeOptions();
            var perFrame = Measure(() =>
            {
                pixels.ResetWrittenCount();
                sample.Decode(sample.Stream, sample.Frame, pixels, options, CancellationToken.None);
            });
            Assert.True(perFrame <= (Inflated.Any(sample.Name.StartsWith) ? 2000 : 0), $"{sample.Name}: {perFrame} bytes per frame");
        }
    }

    [Fact]
    public void Encode_FrameAfterFrame_AllocatesNothing()
    {
        foreach (var samples in new[] { 1, 3 })
        {
            var (frame, pixels) = JpegLsTests.Make(61, 75, samples, 8, 8, false, "steps");
            var stream = new ArrayBufferWriter<byte>(1 << 17);
            foreach (IFrameEncoder encoder in (IFrameEncoder[])[new RleFrameEncoder(), new JpegLsFrameEncoder(), new Htj2kFrameEncoder()])
            {
                var perFrame = Measure(() =>
                {
                    stream.ResetWrittenCount();
                    encoder.Encode(pixels, frame, stream, null, CancellationToken.None);
                });
                Assert.True(perFrame == 0, $"{encoder.Recipe}, {samples} samples: {perFrame} bytes per frame");
            }
            var jpeg = new JpegFrameEncoder();
            Assert.Equal(0, Measure(() =>
            {
                stream.ResetWrittenCount();
                jpeg.Encode(pixels, frame.Columns, frame.Rows, samples, 85, stream, CancellationToken.None);
            }));
        }
    }

    // Rented arrays may have gone to other threads, or been trimmed, in between: the least of a few rounds counts.
    private static long Measure(Action work)
    {
        for (var i = 0; i < 5; i++) work();
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Frames; i++) work();
            least = Math.Min(least, (GC.GetAllocatedBytesForCurrentThread() - before) / Frames);
        }
        return least;
    }
}
