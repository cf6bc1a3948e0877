using System.Net;
using System.Text.RegularExpressions;
using Web.Tests.Support;

namespace Web.Tests.Pages;

[Collection(StackCollection.Name)]
public sealed class AssetServingTests(StackFixture stack)
{
    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("identity", null)]
    public async Task Get_HashedScript_IsCompressedImmutableAndTyped(string accepted, string? coding)
    {
        using var http = Client();
        var script = await ViewerScriptAsync(http);
        using var request = new HttpRequestMessage(HttpMethod.Get, script);
        request.Headers.AcceptEncoding.ParseAdd(accepted);

        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("public, max-age=31536000, immutable", answer.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("text/javascript", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("Accept-Encoding", answer.Headers.Vary);
        Assert.NotNull(answer.Headers.ETag);
    }

    [Fact]
    public async Task Get_KnownTag_IsNotModified()
    {
        using var http = Client();
        var script = await ViewerScriptAsync(http);
        using var first = await http.GetAsync(script);
        using var request = new HttpRequestMessage(HttpMethod.Get, script);
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Theory]
    [InlineData("/dist/.vite/manifest.json")]
    [InlineData("/dist/.stamp")]
    [InlineData("/dist/assets/absent-12345678.js")]
    [InlineData("/dist/..%2f..%2fProgram.cs")]
    [InlineData("/dist/%2e%2e/%2e%2e/appsettings.json")]
    public async Task Get_WhatIsNotServed_IsNotFound(string path)
    {
        using var http = Client();

        using var answer = await http.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Get_EveryAssetOfThePages_Exists()
    {
        using var http = Client();
        var list = await http.GetStringAsync("/");
        var viewer = await http.GetStringAsync("/view/" + SyntheticStudies.CtStudy);
        var assets = Regex.Matches(list + viewer, "/dist/[^\"' ]+").Select(match => match.Value).Distinct().ToList();

        Assert.True(assets.Count >= 4, string.Join(' ', assets));
        foreach (var asset in assets)
        {
            using var answer = await http.GetAsync(asset);
            Assert.True(answer.IsSuccessStatusCode, $"{asset}: {answer.StatusCode}");
        }
    }

    private HttpClient Client() => new() { BaseAddress = stack.Web.Address };

    private static async Task<string> ViewerScriptAsync(HttpClient http) =>
        Regex.Match(await http.GetStringAsync("/view/" + SyntheticStudies.CtStudy), "<script type=\"module\" src=\"([^\"]+)\"").Groups[1].Value;
}
