using System.Net;
using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 4.2.4 and RFC 5861: when a stale answer is better than none.</summary>
public class StaleTests
{
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task Get_StaleWhileRevalidate_AnswersAtOnceAndAsksBehindItsBack()     // RFC 5861 3
    {
        await using var host = new CacheHost(request => OriginReply.Of(200, $"{request.Number}", "Cache-Control: max-age=60, stale-while-revalidate=300", $"ETag: \"{request.Number}\""));
        await host.GetAsync();
        host.Time.Move(Later);
        var stale = await host.GetAsync();
        Assert.Equal("1", stale.Text);
        Assert.Matches("^platform; hit; ttl=-[0-9]+; detail=memory$", stale["Cache-Status"]);
        await CacheHost.EventuallyAsync(() => host.Asked == 2 && host.Handler.Flights == 0);
        Assert.Equal("\"1\"", host.LastAsked["If-None-Match"]);
        var fresh = await host.GetAsync();
        Assert.Equal(("2", true), (fresh.Text, fresh.IsHit));
        host.Time.Move(TimeSpan.FromSeconds(1000));
        Assert.Equal("3", (await host.GetAsync()).Text);
    }

    [Fact]
    public async Task Get_ManyWhileRevalidating_AskOnce()
    {
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async request =>
        {
            if (request.Number > 1) await gate.Task;
            return OriginReply.Of(200, $"{request.Number}", "Cache-Control: max-age=60, stale-while-revalidate=300");
        });
        await host.GetAsync();
        host.Time.Move(Later);
        foreach (var answer in await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.GetAsync()))) Assert.Equal("1", answer.Text);
        gate.SetResult();
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
        Assert.Equal(2, host.Asked);
    }

    [Theory]     // RFC 5861 4
    [InlineData(true, 503, "max-age=60, stale-if-error=600")]
    [InlineData(true, 500, "max-age=60, stale-if-error=600")]
    [InlineData(false, 503, "max-age=60, stale-if-error=20")]
    [InlineData(false, 503, "max-age=60")]                                   // the origin was reached: only where allowed
    [InlineData(false, 404, "max-age=60, stale-if-error=600")]               // the origin is right
    [InlineData(false, 503, "max-age=60, stale-if-error=600, must-revalidate")]
    [InlineData(true, 0, "max-age=60")]                                      // 4.2.4: disconnected
    [InlineData(false, 0, "max-age=60, must-revalidate")]
    [InlineData(false, 0, "max-age=60, proxy-revalidate")]
    [InlineData(false, 0, "s-maxage=60")]
    [InlineData(false, 0, "max-age=60, no-cache")]
    public async Task Get_OriginFails_IsStaleWhereAllowed(bool isStale, int status, string directives)
    {
        await using var host = new CacheHost(request => request.Number == 1 ? OriginReply.Of(200, "old", $"Cache-Control: {directives}", "ETag: \"v\"")
            : status == 0 ? new OriginReply(0) { Disconnects = true } : OriginReply.Of(status, "error"));
        await host.GetAsync();
        host.Time.Move(Later);
        if (!isStale && status == 0)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => host.GetAsync());
            return;
        }

        var answer = await host.GetAsync();
        Assert.Equal(isStale ? (200, "old") : (status, "error"), (answer.Status, answer.Text));
        if (isStale) Assert.Matches("^platform; fwd=stale;( fwd-status=5..;)? ttl=-[0-9]+; detail=\"stale, the origin failed\"$", answer["Cache-Status"]);
    }

    [Fact]
    public async Task Get_OriginFailsForLong_IsAnErrorAtLast()
    {
        await using var host = new CacheHost(request => request.Number == 1 ? OriginReply.Of(200, "old", "Cache-Control: max-age=60") : new OriginReply(0) { Disconnects = true });
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromHours(2));
        Assert.Equal("old", (await host.GetAsync()).Text);
        host.Time.Move(TimeSpan.FromHours(30));
        await Assert.ThrowsAsync<HttpRequestException>(() => host.GetAsync());
    }

    [Fact]
    public async Task Get_OriginFailsManyWait_AllGetTheStaleAnswerFromOneQuestion()
    {
        var asked = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async request =>
        {
            if (request.Number == 1) return OriginReply.Of(200, "old", "Cache-Control: max-age=60, stale-if-error=600", "ETag: \"v\"");
            asked.TrySetResult();
            await gate.Task;
            return new OriginReply(503);
        });
        await host.GetAsync();
        host.Time.Move(Later);
        var first = host.GetAsync();
        await asked.Task;
        var others = Enumerable.Range(0, 20).Select(_ => host.GetAsync()).ToArray();
        await Task.Delay(100);
        gate.SetResult();
        foreach (var answer in await Task.WhenAll([first, .. others])) Assert.Equal("old", answer.Text);
        Assert.InRange(host.Asked, 2, 3);
    }

    [Fact]
    public async Task Get_ErrorDuringPolicyWindow_IsStale()
    {
        var options = new HttpCacheOptions { Name = "test", Freshness = new HttpFreshness { StaleIfError = TimeSpan.FromHours(1) } };
        await using var host = new CacheHost(request => request.Number == 1 ? OriginReply.Of(200, "old", "Cache-Control: max-age=60") : OriginReply.Of(503, "error"), options);
        await host.GetAsync();
        host.Time.Move(Later);
        Assert.Equal("old", (await host.GetAsync()).Text);
        // What was stored stays: the origin's failure says nothing of it.
        Assert.Equal("old", (await host.GetAsync()).Text);
    }
}
