using System.Net;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Frames;

[Collection(StudiesCollection.Name)]
public sealed class FramesApiTests(StudiesFixture studies)
{
    private const string Octets = "application/octet-stream;transfer-syntax=*";
    private readonly ImageApiHost _host = studies.Host;

    public static TheoryData<string> NativeForms => ["native", "big", "deflated", "implicit"];
    public static TheoryData<string> CompressedForms => ["rle", "jls"];

    [Theory]
    [MemberData(nameof(NativeForms))]
    public async Task GetFrames_OneNativeFrame_IsRawLittleEndian(string form)
    {
        var builder = Form(form);
        for (var frame = 0; frame < builder.Frames; frame++)
        {
            using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/{frame + 1}", ("Accept", Octets));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1", response.Header("Content-Type"));
            Assert.Equal(builder.NativeFrame(frame), await response.Content.ReadAsByteArrayAsync());
            Assert.Equal(builder.NativeFrame(frame).Length, response.Content.Headers.ContentLength);
        }
    }

    [Theory]
    [MemberData(nameof(CompressedForms))]
    public async Task GetFrames_OneCompressedFrame_IsAsStored(string form)
    {
        var builder = Form(form);
        for (var frame = 0; frame < builder.Frames; frame++)
        {
            using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/{frame + 1}", ("Accept", Octets));
            Assert.Equal($"application/octet-stream;transfer-syntax={builder.TransferSyntax.Uid}", response.Header("Content-Type"));
            Assert.Equal(builder.EncodedFrame(frame), (await response.Content.ReadAsByteArrayAsync())[..builder.EncodedFrame(frame).Length]);
        }
    }

    [Fact]
    public async Task GetFrames_ImageType_IsNamedByTheTransferSyntax()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.JpegLs)}/frames/2", ("Accept", "image/jls"));
        Assert.Equal("image/jls;transfer-syntax=1.2.840.10008.1.2.4.80", response.Header("Content-Type"));
    }

    [Fact]
    public async Task GetFrames_AList_ComesAsMultipartInTheOrderAskedFor()
    {
        var builder = SyntheticStudies.Native;
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/5,1,7,1", ("Accept", "multipart/related; type=\"application/octet-stream\""));
        var parts = await MultipartParts.ReadAsync(response);
        Assert.Equal([4, 0, 6, 0], parts.Select(part => Enumerable.Range(0, 7).Single(i => builder.NativeFrame(i).AsSpan().SequenceEqual(part.Body))));
        Assert.All(parts, part => Assert.Equal("application/octet-stream;transfer-syntax=\"1.2.840.10008.1.2.1\"", part.Headers["Content-Type"]));
        Assert.EndsWith("/frames/7", parts[2].Headers["Content-Location"], StringComparison.Ordinal);
        Assert.NotNull(response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task GetFrames_ACompressedList_ComesAsMultipart()
    {
        var builder = SyntheticStudies.JpegLs;
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(builder)}/frames/6,2");
        var parts = await MultipartParts.ReadAsync(response);
        Assert.Equal([builder.EncodedFrame(5), builder.EncodedFrame(1)], parts.Select(part => part.Body));
        Assert.All(parts, part => Assert.Equal("image/jls;transfer-syntax=\"1.2.840.10008.1.2.4.80\"", part.Headers["Content-Type"]));
    }

    [Theory]
    [InlineData("0", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    [InlineData("8", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    [InlineData("1,8", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    [InlineData("99999999999", HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found")]
    [InlineData("abc", HttpStatusCode.BadRequest, "urn:platform:problem:invalid-frame-list")]
    [InlineData("1,", HttpStatusCode.BadRequest, "urn:platform:problem:invalid-frame-list")]
    [InlineData("-1", HttpStatusCode.BadRequest, "urn:platform:problem:invalid-frame-list")]
    public async Task GetFrames_NoSuchFrame_IsAProblem(string list, HttpStatusCode status, string type)
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/{list}", ("Accept", "*/*"));
        await ProblemAnswer.AssertAsync(response, status, type);
    }

    [Fact]
    public async Task GetFrames_InstanceWithoutPixels_IsNotFound()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/frames/1");
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.NotFound, "urn:platform:problem:frame-not-found");
    }

    [Theory]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/2.25.9/frames/1", HttpStatusCode.NotFound)]
    [InlineData("/dicomweb/studies/2.25.2000/series/2.25.1000.1/instances/2.25.1000.1.1/frames/1", HttpStatusCode.NotFound)]
    [InlineData("/dicomweb/studies/hello/series/2.25.1000.1/instances/2.25.1000.1.1/frames/1", HttpStatusCode.BadRequest)]
    [InlineData("/dicomweb/studies/2.25.1000/series/2..25/instances/2.25.1000.1.1/frames/1", HttpStatusCode.BadRequest)]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances/..%2F..%2Fetc/frames/1", HttpStatusCode.BadRequest)]
    public async Task GetFrames_WrongUids_AreAProblem(string path, HttpStatusCode status)
    {
        using var response = await _host.SendAsync(path);
        await ProblemAnswer.AssertAsync(response, status);
    }

    [Fact]
    public async Task GetFrames_BrokenStreamAskedForDecoded_IsAProblemThatSaysWhere()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.JpegLs)}/frames/1", ("Accept", "application/octet-stream"));
        var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.UnprocessableEntity, "urn:platform:problem:broken-frame");
        Assert.Contains("at byte", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetFrames_AcceptInTheQuery_Wins()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/1?accept=application%2Foctet-stream", ("Accept", "image/png"));
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task GetFrames_Twice_ComesFromMemoryAndSaysSo()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(3))}/frames/1";
        using var first = await _host.SendAsync(path, ("Accept", Octets));
        using var second = await _host.SendAsync(path, ("Accept", Octets));
        Assert.Equal("platform; hit; detail=memory", second.Header("Cache-Status"));
        Assert.Contains("cache;desc=\"memory\"", second.Header("Server-Timing"), StringComparison.Ordinal);
        Assert.Equal("*", second.Header("Timing-Allow-Origin"));
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(), await second.Content.ReadAsByteArrayAsync());
    }

    private static DicomBuilder Form(string name) => name switch
    {
        "native" => SyntheticStudies.Native,
        "big" => SyntheticStudies.BigEndian,
        "deflated" => SyntheticStudies.Deflated,
        "implicit" => SyntheticStudies.Implicit,
        "rle" => SyntheticStudies.Rle,
        _ => SyntheticStudies.JpegLs,
    };
}
