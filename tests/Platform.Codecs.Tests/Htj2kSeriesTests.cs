using System.Buffers;
using Platform.Codecs.Htj2k;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.Tests.Shared;

namespace Platform.Codecs.Tests;

/// <summary>Real series: what we encode, OpenJPH decodes to the same pixels, whole and cut; it is no larger than OpenJPH's own.</summary>
public sealed class Htj2kSeriesTests
{
    private const int FramesForOpenJph = 3;

    [ToolTheory("ojph_compress", "ojph_expand", Data = "ct-series-a")]
    [InlineData("ct-series-a")]
    [InlineData("mr-series")]
    public async Task Encode_RealSeries_IsDecodedByAllAndNoLarger(string folder)
    {
        long ours = 0, theirs = 0;
        var files = TestData.GetFiles(folder);
        for (var i = 0; i < files.Count; i++)
        {
            var (frame, pixels) = await ReadAsync(files[i]);
            var ends = new List<long>();
            var stream = Htj2kEncoderTests.Encode(pixels, frame, ends: ends);
            Htj2kDecoderTests.AssertSame(pixels, Htj2kDecoderTests.Decode(stream, frame, out _, new DecodeOptions()), frame);
            if (i % (files.Count / FramesForOpenJph) != 0) continue;

            ours += stream.Length;
            theirs += (await OpenJph.CompressAsync(pixels, frame, "-reversible", "true")).Length;
            Assert.Equal(pixels, await OpenJph.ExpandAsync(stream, false));
            for (var reduce = 1; reduce <= 5; reduce++)
            {
                var prefix = stream[..(int)ends[^(1 + reduce)]];
                Assert.Equal(await OpenJph.ExpandAsync(prefix, false, reduce), Htj2kDecoderTests.Decode(prefix, frame, out _, new DecodeOptions { ReduceLevels = reduce }));
            }
        }
        Assert.InRange(ours, 1, theirs * 1.01);
    }

    internal static async Task<(FrameDescription Frame, byte[] Pixels)> ReadAsync(string path)
    {
        using var file = DicomFile.Read(path);
        using var source = DicomSource.Open(path);
        Assert.True(PixelDescription.TryRead(file.Dataset, out var p));
        var index = await FrameIndex.ReadAsync(source, file);
        var pixels = new ArrayBufferWriter<byte>();
        await index!.ReadFrameAsync(source, 0, pixels);
        var frame = new FrameDescription(p.Rows, p.Columns, 1, 16, p.BitsStored, p.IsSigned, false, Photometric.Monochrome2);
        var bytes = pixels.WrittenSpan.ToArray();
        SampleBits.Normalize(bytes, frame);
        return (frame, bytes);
    }
}
