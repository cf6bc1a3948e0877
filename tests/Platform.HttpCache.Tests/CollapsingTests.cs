using System.Text;
using Platform.Tests.Shared.Faults;

namespace Platform.HttpCache.Tests;

/// <summary>Equal questions under way are one question (RFC 9211 2.6), unless the answer turns out to be its asker's alone.</summary>
public class CollapsingTests
{
    [Fact]
    public async Task Get_ManyAtOnce_AskOnce()
    {
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async _ =>
        {
            await gate.Task;
            return new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 4")
            {
                Write = async (stream, token) =>
                {
                    await stream.WriteAsync("bo"u8.ToArray(), token);
                    await Task.Delay(300, token);
                    await stream.WriteAsync("dy"u8.ToArray(), token);
                },
            };
        });
        var asking = Enumerable.Range(0, 100).Select(i => host.GetAsync("a", $"X: {i}")).ToArray();
        await CacheHost.EventuallyAsync(() => host.Asked == 1);
        gate.SetResult();
        var answers = await Task.WhenAll(asking);
        Assert.All(answers, answer => Assert.Equal("body", answer.Text));
        Assert.Equal(1, host.Asked);
        Assert.Contains(answers, answer => answer["Cache-Status"]!.Contains("; collapsed", StringComparison.Ordinal));
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
    }

    [Theory]
    [InlineData("Cache-Control: no-store"), InlineData("Cache-Control: private"), InlineData("Vary: *")]
    public async Task Get_ManyAtOnceOfWhatIsNotForAll_EachGetsHisOwn(string line)
    {
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async request =>
        {
            await gate.Task;
            return OriginReply.Of(200, $"for {request["X"]}", line);
        });
        var asking = Enumerable.Range(0, 20).Select(i => host.GetAsync("a", $"X: {i}")).ToArray();
        await CacheHost.EventuallyAsync(() => host.Asked == 1);
        gate.SetResult();
        var answers = await Task.WhenAll(asking);
        for (var i = 0; i < 20; i++) Assert.Equal($"for {i}", answers[i].Text);
        Assert.Equal(20, host.Asked);
    }

    [Fact]
    public async Task Get_ManyAtOnceOfVariants_EachGetsItsVariant()
    {
        await using var host = new CacheHost(async request =>
        {
            await Task.Delay(50);
            return OriginReply.Of(200, $"for {request["Foo"]}", "Cache-Control: max-age=60", "Vary: Foo");
        });
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => host.GetAsync("a", $"Foo: {i % 3}")));
        for (var i = 0; i < 30; i++) Assert.Equal($"for {i % 3}", answers[i].Text);
    }

    [Fact]
    public async Task Get_BodyUnderWay_IsReadByAllWhileItArrives()
    {
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 8")
        {
            Write = async (stream, token) =>
            {
                await stream.WriteAsync("0123"u8.ToArray(), token);
                await gate.Task;
                await stream.WriteAsync("4567"u8.ToArray(), token);
            },
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var first = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        using var second = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        using var range = await host.OpenAsync(HttpMethod.Get, "a", patience.Token, "Range: bytes=2-5");
        foreach (var (answer, part) in ((HttpResponseMessage, string)[])[(first, "0123"), (second, "0123"), (range, "23")])
        {
            var body = await answer.Content.ReadAsStreamAsync(patience.Token);
            var bytes = new byte[part.Length];
            await body.ReadExactlyAsync(bytes, patience.Token);
            Assert.Equal(part, Encoding.UTF8.GetString(bytes));
        }

        Assert.Equal(206, (int)range.StatusCode);
        gate.SetResult();
        Assert.Equal("01234567", await second.Content.ReadAsStringAsync(patience.Token));
        Assert.Equal("2345", await range.Content.ReadAsStringAsync(patience.Token));
        Assert.Equal(1, host.Asked);
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
        Assert.True((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_RangeFarBeyondWhatArrived_AsksForItself()
    {
        var gate = new TaskCompletionSource();
        var body = new byte[100];
        for (var i = 0; i < body.Length; i++) body[i] = (byte)i;
        await using var host = new CacheHost(request => request["Range"] is null
            ? new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 100", "ETag: \"v\"")
            {
                Write = async (stream, token) =>
                {
                    await stream.WriteAsync(body.AsMemory(0, 10), token);
                    await gate.Task;
                    await stream.WriteAsync(body.AsMemory(10), token);
                },
            }
            : new OriginReply(206, "Cache-Control: max-age=60", "Content-Range: bytes 90-99/100", "ETag: \"v\"") { Body = body[90..] }, new HttpCacheOptions { Name = "test", FollowBytes = 50 });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var whole = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        var far = await host.GetAsync("a", "Range: bytes=90-99");
        Assert.Equal(body[90..], far.Body);
        Assert.Equal(2, host.Asked);
        gate.SetResult();
        Assert.Equal(body, await whole.Content.ReadAsByteArrayAsync(patience.Token));
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
        var again = await host.GetAsync();
        Assert.True(again.IsHit);
        Assert.Equal(body, again.Body);
    }

    [Fact]
    public async Task Get_FirstAskerLeaves_TheOthersGetTheirAnswer()
    {
        var asked = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async request =>
        {
            if (request.Number > 1) return OriginReply.Of(200, "second", "Cache-Control: max-age=60");
            asked.SetResult();
            await gate.Task;
            return OriginReply.Of(200, "first", "Cache-Control: max-age=60");
        });
        using var leaving = new CancellationTokenSource();
        var first = host.OpenAsync(HttpMethod.Get, "a", leaving.Token);
        await asked.Task;
        var others = Enumerable.Range(0, 10).Select(_ => host.GetAsync()).ToArray();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        foreach (var answer in await Task.WhenAll(others)) Assert.Equal("second", answer.Text);
        Assert.Equal(2, host.Asked);
        gate.SetResult();
    }

    [Fact]
    public async Task Get_OriginFailsManyWait_AllAreToldTheSame()
    {
        var asked = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(async _ =>
        {
            asked.TrySetResult();
            await gate.Task;
            return new OriginReply(0) { Disconnects = true };
        });
        var first = host.GetAsync();
        await asked.Task;
        var others = Enumerable.Range(0, 20).Select(_ => host.GetAsync()).ToArray();
        gate.SetResult();
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => first);
        foreach (var other in others) Assert.Equal(failure.HttpRequestError, (await Assert.ThrowsAsync<HttpRequestException>(() => other)).HttpRequestError);
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
    }

    [Fact]
    public async Task Get_AllReadersLeave_TheOriginIsLeftAlone()
    {
        var ended = new TaskCompletionSource();
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 1000000000")
        {
            Write = async (stream, token) =>
            {
                try
                {
                    for (var chunk = new byte[10000]; ;) await stream.WriteAsync(chunk, token);
                }
                catch (IOException)
                {
                    ended.SetResult();
                }
            },
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        answer.Dispose();
        await ended.Task.WaitAsync(patience.Token);
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
    }

    [Fact]
    public async Task Get_StaleManyAtOnce_AskOnceWhetherItHolds()
    {
        await using var host = new CacheHost(async request =>
        {
            await Task.Delay(request.Number == 1 ? 0 : 100);
            return request["If-None-Match"] is null ? OriginReply.Of(200, "body", "Cache-Control: max-age=60", "ETag: \"v\"") : new OriginReply(304, "Cache-Control: max-age=60");
        });
        await host.GetAsync();
        host.Time.Move(TimeSpan.FromSeconds(100));
        foreach (var answer in await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => host.GetAsync()))) Assert.Equal("body", answer.Text);
        Assert.Equal(2, host.Asked);
    }

    [Fact]
    public async Task Get_SecondServiceOfTheSameTiers_FindsWhatTheFirstKept()
    {
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", "Cache-Control: max-age=60"));
        await host.GetAsync();
        using var other = new HttpMessageInvoker(host.Connect());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Origin.Address, "a"));
        using var response = await other.SendAsync(request, CancellationToken.None);
        Assert.Equal("body", await response.Content.ReadAsStringAsync());
        Assert.Equal(1, host.Asked);
    }
}
