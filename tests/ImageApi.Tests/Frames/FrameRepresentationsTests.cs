using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.Negotiation;
using ImageApi.Origins;
using Microsoft.AspNetCore.Http;

namespace ImageApi.Tests.Frames;

public sealed class FrameRepresentationsTests
{
    private const string Native = "1.2.840.10008.1.2.1";
    private const string ImplicitNative = "1.2.840.10008.1.2";
    private const string JpegLs = "1.2.840.10008.1.2.4.80";
    private const string JpegXl = "1.2.840.10008.1.2.4.110";
    private const string Mpeg4 = "1.2.840.10008.1.2.4.102";
    private const string Unknown = "1.2.3.4.5";

    // Stored syntax, Accept, answer: "multi TYPE" or "single TYPE", or null for 406.
    [Theory]
    [InlineData(Native, null, "multi application/octet-stream")]
    [InlineData(Native, "*/*", "multi application/octet-stream")]
    [InlineData(Native, "*/*;q=0.5", "multi application/octet-stream")]
    [InlineData(Native, "application/octet-stream", "single application/octet-stream")]
    [InlineData(Native, "application/*", "single application/octet-stream")]
    [InlineData(Native, "application/octet-stream;transfer-syntax=*", "single application/octet-stream")]
    [InlineData(Native, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", "single application/octet-stream")]
    [InlineData(Native, "application/octet-stream; transfer-syntax=\"1.2.840.10008.1.2.1\"", "single application/octet-stream")]
    [InlineData(Native, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.90", null)]
    [InlineData(Native, "multipart/related", "multi application/octet-stream")]
    [InlineData(Native, "multipart/*", "multi application/octet-stream")]
    [InlineData(Native, "multipart/related; type=\"application/octet-stream\"", "multi application/octet-stream")]
    [InlineData(Native, "multipart/related;type=application/octet-stream;transfer-syntax=*", "multi application/octet-stream")]
    [InlineData(Native, "multipart/related; type=\"image/jls\"", "multi image/jls")]
    [InlineData(Native, "image/jls", "single image/jls")]
    [InlineData(Native, "image/jls;transfer-syntax=1.2.840.10008.1.2.4.81", null)]
    [InlineData(Native, "image/jphc", "single image/jphc 202")]
    [InlineData(Native, "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202", "single image/jphc 202")]
    [InlineData(Native, "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.201", "single image/jphc 201")]
    [InlineData(Native, "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.203", null)]
    [InlineData(Native, "multipart/related; type=\"image/jphc\"; transfer-syntax=1.2.840.10008.1.2.4.202", "multi image/jphc 202")]
    [InlineData(Native, "image/jp2", null)]
    [InlineData(Native, "image/*", "single image/jphc 202")]
    [InlineData(Native, "text/html", null)]
    [InlineData(Native, "image/jp2, application/octet-stream;q=0.1", "single application/octet-stream")]
    [InlineData(Native, "application/octet-stream;q=0", null)]
    [InlineData(Native, "application/octet-stream;q=0, */*", "multi application/octet-stream")]
    [InlineData(Native, "application/octet-stream;q=0.4, multipart/related;type=application/octet-stream;q=0.6", "multi application/octet-stream")]
    [InlineData(Native, "application/octet-stream;q=0.6, multipart/related;type=application/octet-stream;q=0.4", "single application/octet-stream")]
    [InlineData(Native, "*/*, application/octet-stream", "single application/octet-stream")]
    [InlineData(ImplicitNative, "application/octet-stream", "single application/octet-stream")]
    [InlineData(ImplicitNative, "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", "single application/octet-stream")]
    [InlineData(JpegLs, null, "multi image/jls")]
    [InlineData(JpegLs, "*/*", "multi image/jls")]
    [InlineData(JpegLs, "image/jls", "single image/jls")]
    [InlineData(JpegLs, "image/*", "single image/jls")]
    [InlineData(JpegLs, "image/jls;transfer-syntax=1.2.840.10008.1.2.4.80", "single image/jls")]
    [InlineData(JpegLs, "image/jls;transfer-syntax=1.2.840.10008.1.2.4.81", null)]
    [InlineData(JpegLs, "multipart/related;type=\"image/jls\"", "multi image/jls")]
    [InlineData(JpegLs, "multipart/related;type=\"image/jls\";transfer-syntax=*", "multi image/jls")]
    [InlineData(JpegLs, "image/jp2", null)]
    [InlineData(JpegLs, "application/octet-stream", "single application/octet-stream 1")]
    [InlineData(JpegLs, "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", "single application/octet-stream 1")]
    [InlineData(JpegLs, "image/jphc", "single image/jphc 202")]
    [InlineData(JpegLs, "multipart/related;type=application/octet-stream", "multi application/octet-stream 1")]
    [InlineData(JpegLs, "application/octet-stream;transfer-syntax=*", "single application/octet-stream")]
    [InlineData(JpegLs, "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.4.80", "single application/octet-stream")]
    [InlineData(JpegLs, "multipart/related;type=application/octet-stream;transfer-syntax=*", "multi application/octet-stream")]
    [InlineData(JpegXl, "application/octet-stream", null)]
    [InlineData(JpegXl, "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", null)]
    [InlineData(JpegXl, "image/jphc", null)]
    [InlineData(JpegXl, "image/jxl", "single image/jxl")]
    [InlineData(Mpeg4, "application/octet-stream", null)]
    [InlineData(Mpeg4, "*/*", "multi video/mp4")]
    [InlineData(Unknown, "*/*", "multi application/octet-stream")]
    [InlineData(Unknown, "application/octet-stream;transfer-syntax=*", "single application/octet-stream")]
    [InlineData(Unknown, "application/octet-stream", null)]
    public void Choose_OneFrame_FollowsTheTable(string stored, string? accept, string? expected)
    {
        var offer = ContentNegotiation.Choose(accept, FrameRepresentations.Of(Instance(stored), isSingleFrame: true));
        var isNamed = expected is not null && char.IsAsciiDigit(expected[^1]) && expected.Count(' ') == 2;
        Assert.Equal(expected, offer is null ? null : $"{(offer.IsMultipart ? "multi" : "single")} {offer.MediaType}{(isNamed ? " " + offer.TransferSyntax![(offer.TransferSyntax!.LastIndexOf('.') + 1)..] : "")}");
    }

    [Theory]
    [InlineData("application/octet-stream", null)]
    [InlineData("application/octet-stream, multipart/related;q=0.1", "multi")]
    [InlineData("*/*", "multi")]
    public void Choose_SeveralFrames_IsMultipartOnly(string accept, string? expected)
    {
        var offer = ContentNegotiation.Choose(accept, FrameRepresentations.Of(Instance(Native), isSingleFrame: false));
        Assert.Equal(expected, offer is null ? null : offer.IsMultipart ? "multi" : "single");
    }

    [Fact]
    public void Choose_AcceptInTheQuery_WinsOverTheHeader()
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Accept = "text/html";
        request.QueryString = new QueryString("?accept=application/octet-stream%3Btransfer-syntax%3D*");
        var offer = ContentNegotiation.Choose(request, FrameRepresentations.Of(Instance(JpegLs), isSingleFrame: true));
        Assert.Equal("application/octet-stream;transfer-syntax=1.2.840.10008.1.2.4.80", offer?.ContentType);
    }

    [Fact]
    public void Choose_PlusNotEncodedInTheQuery_IsRead()
    {
        var request = new DefaultHttpContext().Request;
        request.QueryString = new QueryString("?accept=application/dicom+json");
        Assert.NotNull(ContentNegotiation.Choose(request, [new Offer("application/dicom+json")]));
    }

    /// <summary>Shapes that cannot be re-encoded are as stored, and raw where a decoder reads them.</summary>
    [Theory]
    [InlineData(Native, 1, 1, "image/jphc", false)]
    [InlineData(Native, 32, 1, "image/jphc", false)]
    [InlineData(Native, 16, 4, "image/jphc", false)]
    [InlineData(Native, 16, 3, "image/jphc", true)]
    [InlineData(Native, 8, 1, "image/jls", true)]
    [InlineData(JpegLs, 32, 1, "image/jphc", false)]
    [InlineData(JpegLs, 32, 1, "application/octet-stream", true)]
    public void Choose_Shape_DecidesWhatIsOffered(string stored, int bits, int samples, string accept, bool isOffered)
    {
        var instance = Instance(stored) with { BitsAllocated = bits, BitsStored = bits, SamplesPerPixel = samples };
        Assert.Equal(isOffered, ContentNegotiation.Choose(accept, FrameRepresentations.Of(instance, isSingleFrame: true)) is not null);
    }

    private static InstanceEntry Instance(string transferSyntax) => new()
    {
        StudyUid = "1.2",
        SeriesUid = "1.2.3",
        SopUid = "1.2.3.4",
        SopClassUid = "1.2.840.10008.5.1.4.1.1.2",
        TransferSyntaxUid = transferSyntax,
        OriginName = "test",
        Item = new OriginItem("a"),
        Version = new OriginVersion("v"),
        Stamp = default,
        Content = default,
        FrameCount = 3,
        Rows = 4,
        Columns = 4,
        SamplesPerPixel = 1,
        BitsAllocated = 16,
        BitsStored = 12,
        Photometric = "MONOCHROME2",
    };
}
