using System.Text;
using Platform.Tests.Shared.Faults;
using Platform.TieredCache;

namespace Platform.HttpCache.Tests;

/// <summary>Origins that break off, lie, crawl or never end: never a wrong byte, never a short answer that looks whole.</summary>
public class FaultTests
{
    private static readonly byte[] Large = Enumerable.Range(0, 3_000_000).Select(static i => (byte)((i * 31) >> 3)).ToArray();

    [Fact]
    public async Task Get_BodyBreaksOff_IsContinuedUnderTheSameStrongValidator()
    {
        await using var host = new CacheHost(request => Breaking(request, "\"v\"", afterBytes: 700_000));
        var answer = await host.GetAsync();
        Assert.Equal(Large, answer.Body);
        Assert.True(host.Asked > 3);
        Assert.All(host.Origin.Requests.Skip(1), request => Assert.Equal("\"v\"", request["If-Range"]));
        var again = await host.GetAsync();
        Assert.True(again.IsHit);
        Assert.Equal(Large, again.Body);
    }

    [Theory]
    [InlineData("X: no validator"), InlineData("ETag: W/\"weak\""), InlineData("Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT")]
    public async Task Get_BodyBreaksOffWithoutStrongValidator_Fails(string line)
    {
        await using var host = new CacheHost(request => request.Number == 1 ? Short(line) : OriginReply.Of(200, "whole", "Cache-Control: max-age=60", line));
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
        var again = await host.GetAsync();
        Assert.Equal(("whole", false), (again.Text, again.IsHit));
    }

    [Theory]     // what the origin gives to the question for the rest
    [InlineData(206, "\"w\"", "bytes 3-9/10"), InlineData(206, "\"v\"", "bytes 4-9/10"), InlineData(206, "\"v\"", "bytes 3-9/11"), InlineData(200, "\"v\"", null), InlineData(404, "\"v\"", null), InlineData(206, "W/\"v\"", "bytes 3-9/10")]
    public async Task Get_RestIsOfAnotherVersion_Fails(int status, string tag, string? contentRange)
    {
        await using var host = new CacheHost(request => request["Range"] is null ? Short("ETag: \"v\"") : OriginReply.Of(status, "XXXXXXX", ["Cache-Control: max-age=60", $"ETag: {tag}", .. contentRange is null ? Array.Empty<string>() : [$"Content-Range: {contentRange}"]]));
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
        // Nothing of it is kept.
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
        Assert.DoesNotContain(host.Origin.Requests, request => request["If-None-Match"] is not null);
    }

    [Fact]
    public async Task Get_BodyBreaksOff_ThoseWhoJoinedFailToo()
    {
        var gate = new TaskCompletionSource();
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 10")
        {
            Write = async (stream, token) =>
            {
                await stream.WriteAsync("012"u8.ToArray(), token);
                await gate.Task;
            },
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var first = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        using var second = await host.OpenAsync(HttpMethod.Get, "a", patience.Token);
        gate.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(() => first.Content.ReadAsByteArrayAsync(patience.Token));
        await Assert.ThrowsAnyAsync<Exception>(() => second.Content.ReadAsByteArrayAsync(patience.Token));
        Assert.Equal(1, host.Asked);
    }

    [Fact]
    public async Task Get_ChunkedBodyBreaksOff_Fails()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Transfer-Encoding: chunked") { Write = async (stream, token) => await stream.WriteAsync("5\r\n01234\r\n"u8.ToArray(), token) });
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
    }

    [Fact]
    public async Task Get_ChunkedBody_IsKeptWithoutItsCodingAndTrailers()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Transfer-Encoding: chunked", "Trailer: X-After", "Content-Length: 3")
        { Write = async (stream, token) => await stream.WriteAsync("5\r\n01234\r\n3\r\n567\r\n0\r\nX-After: 1\r\n\r\n"u8.ToArray(), token) });
        Assert.Equal("01234567", (await host.GetAsync()).Text);
        var again = await host.GetAsync();
        Assert.Equal((true, "01234567", "8", null, null), (again.IsHit, again.Text, again["Content-Length"], again["Trailer"], again["X-After"]));
        Assert.Equal("34", (await host.GetAsync("a", "Range: bytes=3-4")).Text);
    }

    [Fact]
    public async Task Get_BodyThatEndsWithTheConnection_IsPassedOnUnstored()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60") { Write = async (stream, token) => await stream.WriteAsync("0123"u8.ToArray(), token) });
        Assert.Equal("0123", (await host.GetAsync()).Text);
        Assert.False((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_BodyLongerThanItSaid_IsAsLongAsItSaid()
    {
        await using var host = new CacheHost(request => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 4") { Write = async (stream, token) => await stream.WriteAsync("0123HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), token) });
        Assert.Equal("0123", (await host.GetAsync()).Text);
        var again = await host.GetAsync();
        Assert.Equal((true, "0123"), (again.IsHit, again.Text));
    }

    [Fact]
    public async Task Get_SilentBody_IsGivenUp()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Content-Length: 10")
        {
            Write = async (stream, token) =>
        {
            await stream.WriteAsync("01"u8.ToArray(), token);
            await Task.Delay(Timeout.Infinite, token);
        }
        }, new HttpCacheOptions { Name = "test", BodyIdleTimeout = TimeSpan.FromMilliseconds(300) });
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
    }

    [Fact]
    public async Task Get_EndlessBody_EndsAtTheBoundAndInBoundedMemory()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "Transfer-Encoding: chunked")
        {
            Write = async (stream, token) =>
        {
            var chunk = Encoding.ASCII.GetBytes("10000\r\n" + new string('x', 65536) + "\r\n");
            while (true) await stream.WriteAsync(chunk, token);
        }
        }, new HttpCacheOptions { Name = "test", MaxBodyBytes = 40 << 20 });
        await Assert.ThrowsAnyAsync<Exception>(() => host.GetAsync());
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
    }

    [Fact]
    public async Task Get_BodyLongerThanMayBeStored_IsPassedOn()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60") { Body = Large }, new HttpCacheOptions { Name = "test", MaxBodyBytes = 1 << 20 });
        Assert.Equal(Large, (await host.GetAsync()).Body);
        Assert.False((await host.GetAsync()).IsHit);
    }

    [Fact]
    public async Task Get_LargerThanMemory_IsKeptOnDisk()
    {
        using var folder = new Platform.Tests.Shared.TempFolder();
        var body = new byte[40 << 20];
        new Random(3).NextBytes(body);
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "ETag: \"v\"") { Body = body }, null,
            new TieredCacheOptions { Memory = { CapacityBytes = 8 << 20 }, Disk = { Path = folder.Path } });
        Assert.True((await host.GetAsync()).Body.AsSpan().SequenceEqual(body));
        var again = await host.GetAsync();
        Assert.True(again.IsHit);
        Assert.Contains("detail=disk", again["Cache-Status"]);
        Assert.True(again.Body.AsSpan().SequenceEqual(body));
        Assert.True((await host.GetAsync("a", $"Range: bytes={30 << 20}-{(30 << 20) + 99}")).Body.AsSpan().SequenceEqual(body.AsSpan(30 << 20, 100)));
        Assert.Equal(1, host.Asked);
    }

    [Fact]
    public async Task Get_LargerThanMemoryAndNoDisk_IsRelayed()
    {
        await using var host = new CacheHost(_ => new OriginReply(200, "Cache-Control: max-age=60", "ETag: \"v\"") { Body = Large }, null, new TieredCacheOptions { Memory = { CapacityBytes = 2 << 20, OverflowBytes = 1 << 20 } });
        for (var i = 0; i < 3; i++) Assert.Equal(Large, (await host.GetAsync()).Body);
        Assert.Equal(3, host.Asked);
    }

    [Fact]
    public async Task Get_BodyEvicted_IsFetchedAgain()
    {
        await using var host = new CacheHost(request => new OriginReply(200, "Cache-Control: max-age=600", $"ETag: \"{request.Target}\"") { Body = Large }, null, new TieredCacheOptions { Memory = { CapacityBytes = 8 << 20 } });
        for (var i = 0; i < 8; i++) Assert.Equal(Large, (await host.GetAsync($"{i}")).Body);
        Assert.Equal(Large, (await host.GetAsync("0")).Body);
        Assert.Null(host.LastAsked["If-None-Match"]);
    }

    [Theory]
    [InlineData("HTTP/1.1 nonsense\r\n\r\n"), InlineData("HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\nxx"), InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\nxx"), InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), InlineData("")]
    public async Task Get_NoHttp_IsAnError(string bytes)
    {
        await using var raw = new RawHttpServer(_ => Encoding.Latin1.GetBytes(bytes));
        await using var host = new CacheHost(_ => new OriginReply(200));
        using var client = new HttpMessageInvoker(host.Handler, disposeHandler: false);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{raw.Port}/a");
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await client.SendAsync(request, CancellationToken.None);
            await response.Content.ReadAsByteArrayAsync();
        });
        Assert.Equal(0, host.Handler.Flights);
    }

    [Fact]
    public async Task Get_MalformedFields_SurviveAsTheyAre()
    {
        string[] lines = ["Cache-Control: max-age=60", "ETag: \"unclosed", "Expires: -1", "Last-Modified: yesterday", "Content-Type: ///;;=", "Content-Language: ,,", "Vary:", "Age: old", "Warning: 199", "Retry-After: soon", "Content-Disposition: ;;;"];
        await using var host = new CacheHost(_ => OriginReply.Of(200, "body", lines));
        await host.GetAsync();
        var again = await host.GetAsync();
        Assert.True(again.IsHit);
        foreach (var line in lines.Where(static line => !line.StartsWith("Age", StringComparison.Ordinal)))
            Assert.Equal(line[(line.IndexOf(':') + 1)..].Trim(), again[line[..line.IndexOf(':')]]);
    }

    [Fact]
    public async Task Get_FaultyOriginUnderManyReaders_NeverGivesAWrongByte()
    {
        var random = new Random(11);
        await using var host = new CacheHost(request =>
        {
            int dice, after;
            lock (random) (dice, after) = (random.Next(6), random.Next(1, 400_000));
            return dice switch
            {
                0 => new OriginReply(0) { Disconnects = true },
                1 => OriginReply.Of(503, "busy"),
                _ => Breaking(request, "\"v\"", after, dice == 2 ? "Cache-Control: max-age=0" : "Cache-Control: max-age=60", 500_000),
            };
        }, new HttpCacheOptions { Name = "test", MaxResumptions = 2 });
        var expected = Large[..500_000];
        var good = 0;
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            try
            {
                var first = i * 2003 % 400_000;
                var answer = i % 2 == 0 ? await host.GetAsync($"{i % 5}") : await host.GetAsync($"{i % 5}", $"Range: bytes={first}-{first + 50_000}");
                if (answer.Status is not (200 or 206)) return;
                Assert.True(answer.Body.AsSpan().SequenceEqual(answer.Status == 200 ? expected : expected.AsSpan(first, 50_001)));
                Interlocked.Increment(ref good);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
            {
            }
        });
        Assert.True(good > 20, $"Only {good} of 200 came through.");
        await CacheHost.EventuallyAsync(() => host.Handler.Flights == 0);
    }

    /// <summary>Serves ranges of <see cref="Large"/> and closes the connection after so many bytes of each answer.</summary>
    private static OriginReply Breaking(OriginRequest request, string tag, int afterBytes, string control = "Cache-Control: max-age=60", int length = 3_000_000)
    {
        if (request["If-None-Match"] == tag) return new OriginReply(304, control);
        var (offset, count, status) = (0, length, 200);
        if (Fields.RangeRequest.TryParse(request["Range"], out var range) && request["If-Range"] is null or "\"v\"")
        {
            if (!range.TryResolve(length, out var from, out var many)) return new OriginReply(416);
            (offset, count, status) = ((int)from, (int)many, 206);
        }

        return new OriginReply(status, [control, $"ETag: {tag}", $"Content-Length: {count}", .. status == 206 ? [$"Content-Range: bytes {offset}-{offset + count - 1}/{length}"] : Array.Empty<string>()])
        { Write = async (stream, token) => await stream.WriteAsync(Large.AsMemory(offset, Math.Min(count, afterBytes)), token) };
    }

    private static OriginReply Short(string line) => new(200, "Cache-Control: max-age=60", "Content-Length: 10", line) { Write = static async (stream, token) => await stream.WriteAsync("012"u8.ToArray(), token) };
}
