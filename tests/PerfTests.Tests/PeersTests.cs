using System.Net;
using System.Net.Http.Headers;
using PerfTests.Peers;
using PerfTests.Versus;

namespace PerfTests.Tests;

public class PeersTests
{
    [Fact]
    public async Task PacedOrigin_Range_IsThatPartOfTheWholeFile()
    {
        await using var origin = await PacedOrigin.StartAsync(0, 8000, CancellationToken.None);
        using var client = new HttpClient { BaseAddress = new Uri(origin.Url) };
        var whole = await client.GetByteArrayAsync("/1/a");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/1/a") { Headers = { Range = new RangeHeaderValue(123_457, 223_456) } };
        using var part = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(whole[123_457..223_457], await part.Content.ReadAsByteArrayAsync());
        Assert.NotEqual(whole, await client.GetByteArrayAsync("/1/b"));
        Assert.Equal(2_100_000, origin.BytesSent);
    }

    [Fact]
    public async Task PacedOrigin_TwoReaders_ShareTheLine()
    {
        await using var origin = await PacedOrigin.StartAsync(0, 40, CancellationToken.None);      // 5 MB a second
        using var client = new HttpClient { BaseAddress = new Uri(origin.Url) };
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(client.GetByteArrayAsync("/1/a"), client.GetByteArrayAsync("/1/b"));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.38, 30);
    }

    [Fact]
    public async Task SlowOrigin_Direct_PaysForBothLooks()
    {
        await using var origin = await PacedOrigin.StartAsync(0, 800, CancellationToken.None);
        var run = new VersusRun(2, CancellationToken.None);
        SlowOriginScenario.Run(run, Target.Parse([$"direct={origin.Url}"], [], [], [], []), origin, [1]);
        var rows = run.GetMeasurements();
        Assert.Equal(4, rows.Count);
        Assert.All(rows.Where(r => r.Unit == "MB"), r => Assert.Equal([1.0, 1.0], r.Rounds));
        Assert.All(rows, r => Assert.Equal(0, r.Errors));
    }

    [Fact]
    public async Task CountingRelay_FramesAndOthers_CountsFramesAndPassesBytes()
    {
        await using var origin = await PacedOrigin.StartAsync(0, 8000, CancellationToken.None);
        await using var relay = await CountingRelay.StartAsync(0, new Uri(origin.Url), CancellationToken.None);
        using var client = new HttpClient();
        Assert.Equal(await client.GetByteArrayAsync(origin.Url + "/1/a"), await client.GetByteArrayAsync(relay.Url + "/1/a"));
        Assert.Equal(0, relay.FrameRequests);
        using var missing = await client.GetAsync(relay.Url + "/studies/1/frames/1");
        Assert.Equal((HttpStatusCode.NotFound, 1), (missing.StatusCode, relay.FrameRequests));
    }
}
