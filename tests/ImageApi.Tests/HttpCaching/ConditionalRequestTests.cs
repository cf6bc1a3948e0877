using System.Net;
using System.Web;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.HttpCaching;

[Collection(StudiesCollection.Name)]
public sealed class ConditionalRequestTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    /// <summary>One resource of each kind, with the Accept header that asks for it.</summary>
    public static TheoryData<string, string> Resources => new()
    {
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/2", "application/octet-stream" },
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/2,3", "*/*" },
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/2", "image/jphc" },
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Rle)}/frames/2", "application/octet-stream" },
        { SyntheticStudies.UrlOf(SyntheticStudies.Rle), "application/dicom;transfer-syntax=*" },
        { SyntheticStudies.UrlOf(SyntheticStudies.Rle), "multipart/related;type=\"application/dicom\";transfer-syntax=*" },
        { SyntheticStudies.SeriesPath(), "*/*" },
        { $"/dicomweb/studies/{SyntheticStudies.Study}", "*/*" },
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Rle)}/metadata", "application/dicom+json" },
        { $"{SyntheticStudies.SeriesPath()}/metadata", "application/dicom+json" },
        { $"/dicomweb/studies/{SyntheticStudies.Study}/metadata", "application/dicom+json" },
        { $"{SyntheticStudies.UrlOf(SyntheticStudies.Report)}/bulkdata/00091010", "application/octet-stream" },
        { $"/dicomweb/studies", "application/dicom+json" },
        { $"{SyntheticStudies.SeriesPath()}/instances", "application/dicom+json" },
        { $"/api/series/{SyntheticStudies.Slices}/manifest", "application/json" },
        { $"/api/dicom/{SyntheticStudies.OtherStudy}", "application/json" },
        { $"/api/dicom/{SyntheticStudies.OtherStudy}/files/other.dcm", "application/dicom" },
    };

    [Theory]
    [MemberData(nameof(Resources))]
    public async Task Get_WithTheTagOfTheAnswer_IsNotModified(string path, string accept)
    {
        using var first = await _host.SendAsync(path, ("Accept", accept));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var tag = first.Header("ETag")!;
        Assert.Matches("^\"[0-9a-f]{32}\"$", tag);

        using var second = await _host.SendAsync(path, ("Accept", accept), ("If-None-Match", $"\"x\", {tag}"), ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        foreach (var name in new[] { "ETag", "Cache-Control", "Vary" })
            Assert.Equal(first.Header(name), second.Header(name));
        Assert.Null(second.Header("Content-Type"));

        using var third = await _host.SendAsync(path, ("Accept", accept), ("If-None-Match", "\"other\""));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(), await third.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Resources))]
    public async Task Head_AnyResource_HasTheHeadersOfGetAndNoBody(string path, string accept)
    {
        using var get = await _host.SendAsync(path, ("Accept", accept));
        using var head = await _host.SendAsync(HttpMethod.Head, path, ("Accept", accept));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        foreach (var name in new[] { "ETag", "Cache-Control", "Vary", "Content-Type", "Content-Length", "Accept-Ranges", "X-Total-Count", "Last-Modified" })
            Assert.Equal(get.Header(name), head.Header(name));
    }

    [Theory]
    [MemberData(nameof(Resources))]
    public async Task Get_IfMatchAnother_IsPreconditionFailed(string path, string accept)
    {
        using var response = await _host.SendAsync(path, ("Accept", accept), ("If-Match", "\"other\""));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.PreconditionFailed);
    }

    [Theory]
    [InlineData("bytes=10-19", 10, 10)]
    [InlineData("bytes=-5", 379, 5)]
    [InlineData("bytes=380-", 380, 4)]
    public async Task Get_RangeOfAFrame_IsPartial(string range, int offset, int count)
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/4";
        using var response = await _host.SendAsync(path, ("Accept", "application/octet-stream"), ("Range", range));
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal($"bytes {offset}-{offset + count - 1}/384", response.Header("Content-Range"));
        Assert.Equal(SyntheticStudies.Native.NativeFrame(3)[offset..(offset + count)], await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("/api/dicom/2.25.2000/files/other.dcm", "application/dicom")]
    [InlineData("/dicomweb/studies/2.25.2000/series/2.25.2000.1/instances/2.25.2000.1.1", "application/dicom")]
    public async Task Get_RangeOfAFile_IsPartial(string path, string accept)
    {
        using var response = await _host.SendAsync(path, ("Accept", accept), ("Range", "bytes=128-131"));
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal("DICM"u8.ToArray(), await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Get_RangeBeyondTheEnd_IsNotSatisfiable()
    {
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/1", ("Accept", "application/octet-stream"), ("Range", "bytes=384-"));
        await ProblemAnswer.AssertAsync(response, HttpStatusCode.RequestedRangeNotSatisfiable, "urn:platform:problem:range-not-satisfiable");
        Assert.Equal("bytes */384", response.Header("Content-Range"));
    }

    [Fact]
    public async Task Get_IfRangeOfAnother_IsTheWhole()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/1";
        using var other = await _host.SendAsync(path, ("Accept", "application/octet-stream"), ("Range", "bytes=0-9"), ("If-Range", "\"other\""));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var same = await _host.SendAsync(path, ("Accept", "application/octet-stream"), ("Range", "bytes=0-9"), ("If-Range", other.Header("ETag")!));
        Assert.Equal(HttpStatusCode.PartialContent, same.StatusCode);
    }

    [Fact]
    public async Task Get_Versioned_IsImmutableAndAnyOtherVersionIsNotFound()
    {
        var manifest = await (await _host.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest")).JsonAsync();
        var url = manifest.GetProperty("frames")[0].GetProperty("url").GetString()!;
        var version = HttpUtility.ParseQueryString(url[url.IndexOf('?', StringComparison.Ordinal)..])["v"]!;
        using var current = await _host.SendAsync(url, ("Accept", "application/octet-stream"));
        Assert.Equal("public, max-age=2592000, immutable", current.Header("Cache-Control"));
        Assert.Equal("max-age=31536000, immutable, stale-if-error=604800", current.Header("CDN-Cache-Control"));
        using var proven = await _host.SendAsync(url, ("Accept", "application/octet-stream"), ("Authorization", "Bearer x"));
        Assert.Equal("private, max-age=2592000, immutable", proven.Header("Cache-Control"));
        Assert.Null(proven.Header("CDN-Cache-Control"));

        using var unversioned = await _host.SendAsync(url[..url.IndexOf('?', StringComparison.Ordinal)], ("Accept", "application/octet-stream"));
        Assert.Equal("public, max-age=3600, must-revalidate", unversioned.Header("Cache-Control"));
        Assert.Null(unversioned.Header("CDN-Cache-Control"));
        Assert.Equal(current.Header("ETag"), unversioned.Header("ETag"));

        using var stale = await _host.SendAsync(url.Replace(version, "0123456789abcdef", StringComparison.Ordinal), ("Accept", "application/octet-stream"));
        var problem = await ProblemAnswer.AssertAsync(stale, HttpStatusCode.NotFound, "urn:platform:problem:stale-version");
        Assert.Equal(version, problem.GetProperty("current").GetString());
        Assert.Equal("no-store", stale.Header("Cache-Control"));
        Assert.Null(stale.Header("CDN-Cache-Control"));
    }

    [Theory]
    [InlineData("/dicomweb/studies", "public, no-cache")]
    [InlineData("/api/series/2.25.1000.1/manifest", "public, no-cache")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/metadata", "public, no-cache")]
    public async Task Get_ListingsAndMetadata_AreAskedAboutEveryTime(string path, string expected)
    {
        using var response = await _host.SendAsync(path);
        Assert.Equal(expected, response.Header("Cache-Control"));
    }

    [Fact]
    public async Task Get_WithCredentials_IsPrivate()
    {
        using var response = await _host.SendAsync("/dicomweb/studies", ("Authorization", "Bearer x"));
        Assert.Equal("private, no-cache", response.Header("Cache-Control"));
    }

    [Fact]
    public async Task Get_NoStore_ForbidsKeepingAnything()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ImageApi:HttpCaching:NoStore", "true"));
        using var response = await host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/1");
        Assert.Equal("no-store", response.Header("Cache-Control"));
    }

    [Theory]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/metadata")]
    [InlineData("/api/series/2.25.1000.1/manifest")]
    [InlineData("/dicomweb/studies/2.25.1000/series/2.25.1000.1/instances")]
    [InlineData("/api/dicom/2.25.1000")]
    public async Task Get_Codings_DecodeToTheSameTextUnderTagsOfTheirOwn(string path)
    {
        using var identity = await _host.SendAsync(path);
        using var brotli = await _host.SendAsync(path, ("Accept-Encoding", "gzip, br"));
        using var gzip = await _host.SendAsync(path, ("Accept-Encoding", "gzip"));
        var text = await identity.Content.ReadAsByteArrayAsync();
        Assert.Null(identity.Header("Content-Encoding"));
        Assert.Equal("br", brotli.Header("Content-Encoding"));
        Assert.Equal("gzip", gzip.Header("Content-Encoding"));
        Assert.Equal(text, Read(new System.IO.Compression.BrotliStream(await brotli.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress)));
        Assert.Equal(text, Read(new System.IO.Compression.GZipStream(await gzip.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress)));
        Assert.Equal(3, new[] { identity, brotli, gzip }.Select(response => response.Header("ETag")).Distinct().Count());
        Assert.Contains("Accept-Encoding", identity.Header("Vary"), StringComparison.Ordinal);
    }

    private static byte[] Read(Stream stream)
    {
        using var to = new MemoryStream();
        stream.CopyTo(to);
        return to.ToArray();
    }
}
