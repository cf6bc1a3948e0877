using System.Net;
using System.Text;
using ImageApi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Origins.Dicomweb;

/// <summary>A PACS that sends what it should not: never a wrong byte, and nothing of it is kept.</summary>
[Collection(OrthancCollection.Name)]
public sealed class FaultyPeerTests(OrthancFixture fixture)
{
    private static readonly byte[] Expected = SyntheticStudies.Slice(2).NativeFrame(0);
    private static readonly string Frame = DicomwebOriginTests.PathOf(SyntheticStudies.Slice(2)) + "/frames/1";

    [ToolTheory("Orthanc")]
    [InlineData("short")]
    [InlineData("long")]
    [InlineData("of another instance")]
    [InlineData("an error page")]
    [InlineData("cut off")]
    [InlineData("two parts")]
    [InlineData("compressed under a native name")]
    [InlineData("another compressed syntax that it is not")]
    [InlineData("500")]
    [InlineData("404")]
    public async Task Frame_SentWrongly_IsFoundInItsInstance_OrAnHonestError(string fault)
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url, ("ImageApi:Origins:pacs1:Retries", "0"));
        proxy.Interfere = context => InterfereAsync(context, fault);
        using (var answer = await api.SendAsync(Frame, ("Accept", "application/octet-stream")))
        {
            if (answer.IsSuccessStatusCode) await AssertBodyAsync(answer);
            else Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.BadGateway, HttpStatusCode.GatewayTimeout, HttpStatusCode.ServiceUnavailable, HttpStatusCode.UnprocessableEntity });
        }

        // The PACS comes to its senses: nothing wrong was kept.
        proxy.Interfere = null;
        Assert.Equal(Expected, await DicomwebOriginTests.WaitAsync(() => TryAsync(api), static body => body.Length > 0));
    }

    [ToolFact("Orthanc")]
    public async Task Frame_WhenThePacsCannotBeAsked_IsServedAndMarkedAsStale()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url, ("ImageApi:Origins:pacs1:Retries", "0"), ("ImageApi:Origins:pacs1:Freshness:Ttl", "00:00:00.100"));
        Assert.Equal(Expected, await DicomwebOriginTests.FrameAsync(api, Frame));
        proxy.Interfere = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.FromResult(true);
        };
        await Task.Delay(300);
        for (var i = 0; i < 2; i++)
        {
            using var answer = await api.SendAsync(Frame, ("Accept", "application/octet-stream"));
            await AssertBodyAsync(answer);
            Assert.StartsWith("platform; fwd=stale; detail=\"origin pacs1", answer.Header("Cache-Status"), StringComparison.Ordinal);
            Assert.StartsWith("110 ", answer.Header("Warning"), StringComparison.Ordinal);
        }

        // Asked and answered again, it is not stale any more.
        proxy.Interfere = null;
        await DicomwebOriginTests.WaitAsync(async () =>
        {
            using var answer = await api.SendAsync(Frame, ("Accept", "application/octet-stream"));
            return answer.Header("Warning");
        }, static warning => warning is null);
    }

    [ToolFact("Orthanc")]
    public async Task Frames_ThatThePeerLacks_AreFoundInWholeInstances()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        proxy.Interfere = static context =>
        {
            if (!context.Request.Path.Value!.Contains("/frames/", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.FromResult(true);
        };
        foreach (var builder in new[] { SyntheticStudies.Native, SyntheticStudies.Rle, SyntheticStudies.JpegLs, SyntheticStudies.Deflated })
        {
            for (var frame = 0; frame < builder.Frames; frame++)
            {
                var body = await DicomwebOriginTests.FrameAsync(api, $"{DicomwebOriginTests.PathOf(builder)}/frames/{frame + 1}");
                var expected = builder.TransferSyntax.IsEncapsulated ? builder.EncodedFrame(frame) : builder.NativeFrame(frame);
                Assert.Equal(expected, body.Length == expected.Length + 1 && builder.TransferSyntax.IsEncapsulated ? body[..^1] : body);
            }
        }
        // One look, then no more.
        Assert.InRange(proxy.Count("/frames/"), 1, 16);
        Assert.Equal(1, proxy.Requests.Count(request => request.EndsWith($"/instances/{SyntheticStudies.Rle.InstanceUid}", StringComparison.Ordinal)));
    }

    [ToolFact("Orthanc")]
    public async Task Frame_AsASinglePart_IsRead()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        proxy.Interfere = static async context =>
        {
            if (!context.Request.Path.Value!.Contains("/frames/", StringComparison.Ordinal)) return false;
            context.Response.ContentType = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1";
            await context.Response.Body.WriteAsync(Expected);
            return true;
        };
        Assert.Equal(Expected, await DicomwebOriginTests.FrameAsync(api, Frame));
    }

    [ToolFact("Orthanc")]
    public async Task Frame_SentInAnotherSyntaxThanItsNeighbours_IsNamedWhatItIs()
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        Assert.Equal(SyntheticStudies.Slice(1).NativeFrame(0), await DicomwebOriginTests.FrameAsync(api, DicomwebOriginTests.PathOf(SyntheticStudies.Slice(1)) + "/frames/1"));
        var stream = DicomBuilder.FakeStream(3);
        proxy.Interfere = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith($"{SyntheticStudies.Slices}.4/frames/1", StringComparison.Ordinal)) return false;
            context.Response.ContentType = "multipart/related; type=\"image/jls\"; boundary=b";
            await context.Response.WriteAsync("--b\r\nContent-Type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80\r\n\r\n");
            await context.Response.Body.WriteAsync(stream);
            await context.Response.WriteAsync("\r\n--b--");
            return true;
        };
        using var answer = await api.SendAsync(DicomwebOriginTests.PathOf(SyntheticStudies.Slice(4)) + "/frames/1", ("Accept", "application/octet-stream;transfer-syntax=*"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("1.2.840.10008.1.2.4.80", answer.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(stream, await answer.Content.ReadAsByteArrayAsync());
    }

    [ToolTheory("Orthanc")]
    [InlineData("[{\"00080018\":")]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("[[[[[[[[")]
    [InlineData("[{\"00080018\":{\"vr\":\"UI\",\"Value\":[\"2.25.1000.1.1\"]},\"00080016\":{\"vr\":\"UI\",\"Value\":[\"1.2.840.10008.5.1.4.1.1.2\"]},\"0020000E\":{\"vr\":\"UI\",\"Value\":[\"9.9\"]}}]")]
    public async Task Metadata_ThatAreNone_AreAnErrorAndNotKept(string body)
    {
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url, ("ImageApi:Origins:pacs1:Freshness:NegativeTtl", "00:00:00"));
        proxy.Interfere = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/metadata", StringComparison.Ordinal)) return false;
            context.Response.ContentType = "application/dicom+json";
            await context.Response.WriteAsync(body);
            return true;
        };
        using (var answer = await api.SendAsync(SyntheticStudies.SeriesPath() + "/metadata"))
        {
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.BadGateway, HttpStatusCode.UnprocessableEntity });
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }
        proxy.Interfere = null;
        using var later = await api.SendAsync(SyntheticStudies.SeriesPath() + "/metadata");
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [ToolFact("Orthanc")]
    public async Task BulkDataUri_ThatLeadsElsewhere_IsNotFollowed()
    {
        var asked = 0;
        await using var elsewhere = await LoopbackServer.StartAsync(_ => { Interlocked.Increment(ref asked); return Task.CompletedTask; });
        await using var proxy = await PacsProxy.StartAsync(fixture.Orthanc.Address);
        proxy.Change = (context, body) => context.Request.Path.Value!.EndsWith("/metadata", StringComparison.Ordinal)
            ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace(fixture.Orthanc.Address.ToString(), elsewhere.Url + "/", StringComparison.Ordinal).Replace(proxy.Url[..^"/dicom-web".Length], elsewhere.Url, StringComparison.Ordinal)) : body;
        await using var api = await OrthancFixture.StartApiAsync(proxy.Url);
        using var answer = await api.SendAsync($"{DicomwebOriginTests.PathOf(SyntheticStudies.Report)}/bulkdata/00091010");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(0, asked);
    }

    private static async Task<bool> InterfereAsync(HttpContext context, string fault)
    {
        var path = context.Request.Path.Value!;
        if (!path.EndsWith($"{SyntheticStudies.Slices}.2/frames/1", StringComparison.Ordinal) && !path.EndsWith($"{SyntheticStudies.Slices}.1/frames/1", StringComparison.Ordinal)) return false;
        var body = path.Contains($"{SyntheticStudies.Slices}.2/", StringComparison.Ordinal) ? Expected : SyntheticStudies.Slice(1).NativeFrame(0);
        var (type, location) = ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", path);
        switch (fault)
        {
            case "short": body = body[..^2]; break;
            case "long": body = [.. body, 1, 2]; break;
            case "of another instance": (body, location) = (SyntheticStudies.Slice(5).NativeFrame(0), path.Replace($"{SyntheticStudies.Slices}.", $"{SyntheticStudies.Slices}.9", StringComparison.Ordinal)); break;
            case "compressed under a native name": body = DicomBuilder.FakeStream(1); break;
            case "another compressed syntax that it is not": type = "image/jp2; transfer-syntax=1.2.840.10008.1.2.4.90"; break;
            case "500": context.Response.StatusCode = 500; return true;
            case "404": context.Response.StatusCode = 404; return true;
            case "an error page":
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync("<html>Sign in</html>");
                return true;
        }
        context.Response.ContentType = "multipart/related; type=\"application/octet-stream\"; boundary=b";
        await context.Response.WriteAsync($"--b\r\nContent-Type: {type}\r\nContent-Location: http://pacs{location}\r\n\r\n");
        await context.Response.Body.WriteAsync(fault == "cut off" ? body.AsMemory(0, 100) : body);
        if (fault == "cut off") return true;
        await context.Response.WriteAsync(fault == "two parts" ? "\r\n--b\r\n\r\nmore\r\n--b--\r\n" : "\r\n--b--\r\n");
        return true;
    }

    private static async Task<byte[]> TryAsync(ImageApiHost api)
    {
        using var answer = await api.SendAsync(Frame, ("Accept", "application/octet-stream"));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync() : [];
    }

    /// <summary>Either the frame, or an answer that is seen to be cut.</summary>
    private static async Task AssertBodyAsync(HttpResponseMessage answer) => Assert.Equal(Expected, await answer.Content.ReadAsByteArrayAsync());
}
