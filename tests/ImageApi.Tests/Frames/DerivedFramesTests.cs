using System.Buffers;
using System.Net;
using ImageApi.Tests.Support;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Tests.Shared;
using FrameDescription = Platform.Codecs.FrameDescription;

namespace ImageApi.Tests.Frames;

/// <summary>Frames in other forms than they are stored in: the pixels are the same, whoever asks, however often.</summary>
public sealed class DerivedFramesTests
{
    public const string Rpcl = "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202", Htj2k = "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.201",
        JpegLs = "image/jls;transfer-syntax=1.2.840.10008.1.2.4.80", Raw = "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1";

    [Theory]
    [InlineData(Rpcl)]
    [InlineData(Htj2k)]
    [InlineData(JpegLs)]
    [InlineData(Raw)]
    public async Task GetFrames_AnyForm_DecodesToTheStoredPixels(string accept)
    {
        var builders = Images().ToArray();
        await using var host = await ImageApiHost.StartAsync(folder => Save(folder, builders));
        foreach (var builder in builders)
        {
            using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/1", ("Accept", accept));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(accept, response.Header("Content-Type"));
            Assert.Equal("bytes", response.Header("Accept-Ranges"));
            var bytes = await response.Content.ReadAsByteArrayAsync();
            Assert.Equal(bytes.Length, response.Content.Headers.ContentLength);
            if (accept == Raw && !builder.TransferSyntax.IsEncapsulated) Assert.Equal(builder.NativeFrame(0), bytes);
            else Assert.Equal(Expected(builder), Decode(accept[(accept.LastIndexOf('=') + 1)..], bytes, builder));
        }
    }

    internal static IEnumerable<DicomBuilder> Images()
    {
        yield return Image(1, 16, 12, isSigned: false, 1, "MONOCHROME2");
        yield return Image(2, 16, 16, isSigned: true, 1, "MONOCHROME2");
        yield return Image(3, 8, 8, isSigned: false, 1, "MONOCHROME1");
        yield return Image(4, 8, 8, isSigned: false, 3, "RGB");
        yield return Image(5, 16, 12, isSigned: true, 1, "MONOCHROME2");
        yield return Image(6, 16, 16, isSigned: false, 1, "MONOCHROME2", DicomTransferSyntax.RleLossless);
    }

    internal static DicomBuilder Image(int number, int allocated, int stored, bool isSigned, int samples, string photometric, DicomTransferSyntax? syntax = null) => new DicomBuilder
    {
        InstanceUid = $"2.25.1000.1.{number}",
        InstanceNumber = number,
        Rows = 96,
        Columns = 120,
        BitsAllocated = allocated,
        SamplesPerPixel = samples,
        TransferSyntax = syntax ?? DicomTransferSyntax.ExplicitVrLittleEndian,
        Pixel = (_, row, column) => (uint)((row * 31 + column * number + ((row * 7919 + column * 104729) % 61)) & ((1 << stored) - 1 - (isSigned ? 0 : 40))),
    }.With(DicomTags.BitsStored, stored).With(DicomTags.HighBit, stored - 1).With(DicomTags.PixelRepresentation, isSigned ? 1 : 0).With(DicomTags.PhotometricInterpretation, photometric);

    internal static void Save(string folder, params DicomBuilder[] builders)
    {
        foreach (var builder in builders) builder.Save(Path.Combine(folder, $"{builder.InstanceUid}.dcm"));
    }

    internal static FrameDescription Describe(DicomBuilder builder)
    {
        var dataset = builder.ToDataset();
        return Platform.Imaging.FramePresentation.Read(dataset, 0).Frame;
    }

    /// <summary>The pixels as decoders give them.</summary>
    internal static byte[] Expected(DicomBuilder builder)
    {
        var pixels = new ArrayBufferWriter<byte>();
        FrameDecoders.For(FrameDecoders.NativeUid)!.Decode(new ReadOnlySequence<byte>(builder.NativeFrame(0)), Describe(builder), pixels, new DecodeOptions(), CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }

    internal static byte[] Decode(string syntax, byte[] encoded, DicomBuilder builder)
    {
        var pixels = new ArrayBufferWriter<byte>();
        FrameDecoders.For(syntax)!.Decode(new ReadOnlySequence<byte>(encoded), Describe(builder), pixels, new DecodeOptions(), CancellationToken.None);
        return pixels.WrittenSpan.ToArray();
    }
}
