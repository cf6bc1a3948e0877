using Platform.Tests.Shared.Faults;
using Platform.TieredCache;

namespace Platform.HttpCache.Tests;

/// <summary>RFC 9111 4.4: what unsafe methods make of what is stored.</summary>
public class InvalidationTests
{
    [Theory]
    [InlineData(false, "POST", 200), InlineData(false, "PUT", 204), InlineData(false, "DELETE", 200), InlineData(false, "M-SEARCH", 200), InlineData(false, "POST", 302)]
    [InlineData(true, "POST", 500), InlineData(true, "PUT", 404), InlineData(true, "OPTIONS", 200), InlineData(true, "SEARCH", 200)]
    public async Task Send_OtherMethod_ForgetsTheResourceWhereItSucceeded(bool isKept, string method, int status)
    {
        await using var host = new CacheHost(request => request.Method == "GET" ? OriginReply.Of(200, "body", "Cache-Control: max-age=60") : new OriginReply(status));
        await host.GetAsync();
        await host.SendAsync(new HttpMethod(method), "a");
        Assert.Equal(isKept, (await host.GetAsync()).IsHit);
    }

    [Theory]
    [InlineData(false, "Location: /b"), InlineData(false, "Content-Location: b"), InlineData(false, "Location: {0}b"), InlineData(true, "Location: http://127.0.0.1:1/b")]
    public async Task Send_Unsafe_ForgetsWhatItNamesOfTheSameOrigin(bool isKept, string line)
    {
        Uri? address = null;
        await using var host = new CacheHost(request => request.Method == "GET" ? OriginReply.Of(200, "body", "Cache-Control: max-age=60") : new OriginReply(201, line.Replace("{0}", address!.ToString(), StringComparison.Ordinal)));
        address = host.Origin.Address;
        await host.GetAsync("b");
        await host.SendAsync(HttpMethod.Post, "a");
        Assert.Equal(isKept, (await host.GetAsync("b")).IsHit);
    }

    [Fact]
    public async Task Post_AnswerThatIsTheResource_AnswersGet()     // RFC 9110 9.3.3
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "made", "Cache-Control: max-age=60", "Content-Location: /a"));
        await host.SendAsync(HttpMethod.Post, "a");
        var get = await host.GetAsync();
        Assert.Equal((true, "made"), (get.IsHit, get.Text));
        await host.SendAsync(HttpMethod.Post, "b");
        Assert.False((await host.GetAsync("b")).IsHit);
    }

    [Fact]
    public async Task Send_UnsafeWhileAnAnswerIsUnderWay_ThatIsNotKept()
    {
        var asked = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async request =>
        {
            if (request.Method != "GET") return new OriginReply(204);
            if (request.Number > 2) return OriginReply.Of(200, "new", "Cache-Control: max-age=60");
            asked.SetResult();
            await gate.Task;
            return OriginReply.Of(200, "old", "Cache-Control: max-age=60");
        });
        var reading = host.GetAsync();
        await asked.Task;
        await host.SendAsync(HttpMethod.Put, "a");
        gate.SetResult();
        Assert.Equal("old", (await reading).Text);      // it was asked before
        Assert.Equal("new", (await host.GetAsync()).Text);
    }

    [Fact]
    public async Task InvalidateAsync_Tag_ForgetsAllOfTheOrigin()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60"));
        await host.GetAsync("a");
        await host.GetAsync("b");
        await host.Cache.InvalidateAsync(CacheTag.Of("origin", "test"), CancellationToken.None);
        Assert.False((await host.GetAsync("a")).IsHit);
        Assert.False((await host.GetAsync("b")).IsHit);
    }
}
