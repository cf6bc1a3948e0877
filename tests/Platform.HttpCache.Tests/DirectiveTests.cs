using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 3, 3.5 and 5.2: what may be kept, and what requests may ask of a cache.</summary>
public class DirectiveTests
{
    [Theory]     // 5.2.2
    [InlineData(false, 200, "Cache-Control: no-store")]
    [InlineData(false, 200, "Cache-Control: max-age=60, No-StOrE")]
    [InlineData(false, 200, "Cache-Control: private, max-age=60")]
    [InlineData(false, 200, "Cache-Control: private=\"x\", max-age=60")]
    [InlineData(false, 200, "Cache-Control: no-cache, max-age=60")]
    [InlineData(true, 200, "Cache-Control: must-revalidate, max-age=60")]
    [InlineData(true, 200, "Cache-Control: max-age=60, no-store, must-understand")]      // 5.2.2.3
    [InlineData(false, 599, "Cache-Control: max-age=60, no-store, must-understand")]
    [InlineData(false, 599, "Cache-Control: max-age=60, must-understand")]
    [InlineData(true, 599, "Cache-Control: public", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT")]
    [InlineData(true, 200, "Cache-Control: max-age=60", "Pragma: no-cache")]             // 5.4: of no meaning in answers
    [InlineData(true, 200, "Cache-Control: max-age=60", "Set-Cookie: a=b")]
    [InlineData(false, 200, "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT", "Set-Cookie: a=b")]      // by a guess nobody's cookie is shared
    public async Task Get_Directives_DecideWhetherItIsReused(bool isReused, int status, params string[] lines)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(status, "body", lines));
        await host.GetAsync();
        Assert.Equal(isReused, (await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_NoCache_IsKeptAndValidatedEachTime()     // 5.2.2.4
    {
        await using var host = new CacheHost(request => request["If-None-Match"] is null ? OriginReply.Of(200, "body", "Cache-Control: no-cache, max-age=600", "ETag: \"v\"") : new OriginReply(304));
        await host.GetAsync();
        for (var i = 2; i < 5; i++)
        {
            Assert.Equal("body", (await host.GetAsync()).Text);
            Assert.Equal((i, "\"v\""), (host.Asked, host.LastAsked["If-None-Match"]));
        }
    }

    [Theory]     // 3.5
    [InlineData(false, "max-age=60"), InlineData(true, "max-age=60, public"), InlineData(true, "s-maxage=60"), InlineData(true, "max-age=60, must-revalidate")]
    public async Task Get_AnswerToAuthorized_IsSharedOnlyWhereItSaysSo(bool isShared, string directives)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", $"Cache-Control: {directives}"));
        await host.GetAsync("a", "Authorization: Basic abc");
        Assert.Equal("Basic abc", host.LastAsked["Authorization"]);
        Assert.Equal(isShared, (await host.GetAsync()).IsHit);
    }

    [Theory]     // 5.2.1
    [InlineData(true, 10, "max-age=20"), InlineData(false, 30, "max-age=20"), InlineData(false, 0, "max-age=0")]
    [InlineData(true, 10, "min-fresh=40"), InlineData(false, 30, "min-fresh=40")]
    [InlineData(true, 100, "max-stale=60"), InlineData(true, 100, "max-stale"), InlineData(false, 200, "max-stale=60")]
    [InlineData(false, 10, "no-cache"), InlineData(true, 10, "nothing-to-see-here")]
    public async Task Get_RequestDirectives_AreHonoured(bool isHit, int seconds, string directive)
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60"));
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(seconds));
        Assert.Equal(isHit, (await host.GetAsync("a", $"Cache-Control: {directive}")).IsHit);
    }

    [Fact]
    public async Task Get_MaxStale_DoesNotOverruleTheOrigin()     // 4.2.4
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60, must-revalidate"));
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(100));
        Assert.False((await host.GetAsync("a", "Cache-Control: max-stale=600")).IsHit);
    }

    [Fact]
    public async Task Get_RequestNoStore_IsNeitherServedNorKept()     // 5.2.1.5
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, $"{request.Number}", "Cache-Control: max-age=60"));
        Assert.Equal("1", (await host.GetAsync("a", "Cache-Control: no-store")).Text);
        Assert.Equal("2", (await host.GetAsync()).Text);
        Assert.Equal("3", (await host.GetAsync("a", "Cache-Control: no-store")).Text);
        Assert.Equal("2", (await host.GetAsync()).Text);
    }

    [Fact]
    public async Task Get_OnlyIfCached_NeverReachesTheOrigin()     // 5.2.1.7
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60"));
        Assert.Equal(504, (await host.GetAsync("a", "Cache-Control: only-if-cached")).Status);
        Assert.Equal(0, host.Asked);
        await host.GetAsync();
        Assert.Equal(200, (await host.GetAsync("a", "Cache-Control: only-if-cached")).Status);
    }

    [Fact]
    public async Task Get_HopByHopFields_AreNeitherStoredNorPassedOn()     // 3.1
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, "body", request.Target == "/a" ? "Cache-Control: max-age=60" : "Cache-Control: no-store",
            "Connection: a, b", "a: 1", "B: 2", "c: 3", "Keep-Alive: timeout=5", "Proxy-Authenticate: x", "Proxy-Connection: x", "TE: x", "Upgrade: x", "Proxy-Authentication-Info: x"));
        foreach (var path in (string[])["a", "a", "b"])
        {
            var answer = await host.GetAsync(path, "Connection: X-Mine", "X-Mine: 1", "TE: trailers", "Proxy-Authorization: x");
            Assert.Equal("3", answer["c"]);
            foreach (var name in (string[])["Connection", "a", "b", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "TE", "Upgrade", "Proxy-Authentication-Info", "Transfer-Encoding"]) Assert.Null(answer[name]);
        }

        foreach (var name in (string[])["X-Mine", "TE", "Proxy-Authorization"]) Assert.All(host.Origin.Requests, request => Assert.Null(request[name]));
    }

    [Fact]
    public async Task Get_QueriesDiffer_AreDifferentResources()     // 2
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, request.Target, "Cache-Control: max-age=60"));
        foreach (var path in (string[])["a?x=1", "a?x=2", "a", "A", "a/"]) Assert.Equal("/" + path, (await host.GetAsync(path)).Text);
        Assert.Equal(5, host.Asked);
        Assert.True((await host.GetAsync("a?x=2")).IsHit);
    }
}
