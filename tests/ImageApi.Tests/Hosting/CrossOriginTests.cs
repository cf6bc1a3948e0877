using System.Net;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.Hosting;

[Collection(StudiesCollection.Name)]
public sealed class CrossOriginTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    [Theory]
    [InlineData("http://localhost:5100", true)]
    [InlineData("http://127.0.0.1:3000", true)]
    [InlineData("http://[::1]:3000", true)]
    [InlineData("https://localhost", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("http://localhost.evil.example", false)]
    [InlineData("null", false)]
    public async Task Get_ByDefault_PagesOfThisMachineMayRead(string origin, bool isAllowed)
    {
        using var response = await _host.SendAsync("/dicomweb/studies", ("Origin", origin));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(isAllowed ? origin : null, response.Header("Access-Control-Allow-Origin"));
        Assert.Contains("Origin", response.Header("Vary"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://viewer.example", "https://viewer.example", true)]
    [InlineData("https://viewer.example", "http://localhost:5100", false)]
    [InlineData("*", "https://any.example", true)]
    public async Task Get_WithAList_OnlyItsOriginsMayRead(string configured, string origin, bool isAllowed)
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, ("ImageApi:Cors:Origins:0", configured));
        using var response = await host.SendAsync("/dicomweb/studies", ("Origin", origin));
        Assert.Equal(isAllowed, response.Header("Access-Control-Allow-Origin") is not null);
    }

    [Fact]
    public async Task Get_FrameRequestOfAViewer_NeedsNoPreflightAndCanReadWhereItCameFrom()
    {
        const string accept = "application/octet-stream;transfer-syntax=*";
        // CORS-safelisted: at most 128 bytes, none of them forbidden (fetch, "CORS-safelisted request-header").
        Assert.True(accept.Length < 128 && accept.AsSpan().IndexOfAny("\"(),:<>?@[\\]{}") < 0);
        using var response = await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Native)}/frames/1", ("Accept", accept), ("Origin", "http://localhost:5100"));
        var exposed = response.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries);
        foreach (var name in new[] { "Content-Type", "Content-Length", "ETag", "Cache-Status", "Server-Timing", "X-Total-Count", "Platform-Pixel-Digest", "Warning" })
            Assert.Contains(name, exposed);
        Assert.Equal("*", response.Header("Timing-Allow-Origin"));
    }

    [Fact]
    public async Task Options_ForStoring_IsAnswered()
    {
        using var response = await _host.SendAsync(HttpMethod.Options, "/dicomweb/studies",
            ("Origin", "http://localhost:5100"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("http://localhost:5100", response.Header("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("GET", "/nothing/here", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/dicomweb/studies/2.25.1000", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "/api/cache/stats", HttpStatusCode.MethodNotAllowed)]
    public async Task Send_NoSuchResourceOrMethod_IsAProblem(string method, string path, HttpStatusCode status)
    {
        using var response = await _host.SendAsync(new HttpMethod(method), path);
        await ProblemAnswer.AssertAsync(response, status);
    }

    [Fact]
    public async Task GetStatistics_AfterHits_CountsThem()
    {
        var path = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(4))}/frames/1";
        (await _host.SendAsync(path)).Dispose();
        (await _host.SendAsync(path)).Dispose();
        var statistics = await (await _host.SendAsync("/api/cache/stats")).JsonAsync();
        var frames = statistics.GetProperty("tiers").EnumerateArray().Single(t => t.GetProperty("tier").GetString() == "Memory" && t.GetProperty("kind").GetString() == "Frame");
        Assert.True(frames.GetProperty("hits").GetInt64() >= 1);
        Assert.True(statistics.GetProperty("memoryBytes").GetInt64() <= statistics.GetProperty("memoryCapacityBytes").GetInt64());
    }
}
