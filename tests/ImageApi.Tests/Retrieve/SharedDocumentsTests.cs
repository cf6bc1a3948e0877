using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Retrieve;

/// <summary>Two services over one Redis.</summary>
public sealed class SharedDocumentsTests
{
    [ToolFact("redis-server")]
    public async Task GetSeriesMetadata_MadeByOneNode_IsReadFromRedisByTheOther()
    {
        await using var redis = await RedisServer.StartAsync();
        using var data = new TempFolder();
        SyntheticStudies.Fill(data.Path);
        await using var first = await ImageApiHost.StartOverAsync(data.Path, ("ConnectionStrings:cache", redis.ConnectionString));
        await using var second = await ImageApiHost.StartOverAsync(data.Path, ("ConnectionStrings:cache", redis.ConnectionString));
        var path = $"{SyntheticStudies.SeriesPath()}/metadata";

        // Connecting happens in the background, and so does storing: ask until it says so.
        using var made = await first.SendAsync(path, ("Accept-Encoding", "br"));
        HttpResponseMessage read;
        var attempt = 0;
        while (true)
        {
            var other = attempt % 2 == 0 ? "br" : "gzip";
            if (attempt > 0)
                (await first.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice((attempt % 5) + 1))}/metadata", ("Accept-Encoding", other))).Dispose();
            await Task.Delay(100);
            read = attempt == 0 ? await second.SendAsync(path, ("Accept-Encoding", "br")) : await second.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice((attempt % 5) + 1))}/metadata", ("Accept-Encoding", other));
            if (read.Header("Cache-Status") == "platform; hit; detail=redis")
                break;
            Assert.True(attempt++ < 10, $"Nothing came from Redis: {read.Header("Cache-Status")}");
            read.Dispose();
        }
        using (read)
        {
            Assert.True(read.IsSuccessStatusCode);
            Assert.Equal("br", read.Header("Content-Encoding") is "gzip" ? "br" : read.Header("Content-Encoding"));
        }
        Assert.Equal(made.Header("ETag"), (await second.SendAsync(path, ("Accept-Encoding", "br"))).Header("ETag"));
    }

    [ToolFact("redis-server")]
    public async Task GetSeriesMetadata_RedisFrozenOrDead_IsAnsweredWithoutIt()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ConnectionStrings:cache", redis.ConnectionString));
        (await host.SendAsync($"{SyntheticStudies.SeriesPath()}/metadata")).Dispose();
        await redis.FreezeAsync();
        using (var frozen = await host.SendAsync($"{SyntheticStudies.SeriesPath(SyntheticStudies.MultiFrame)}/metadata"))
            Assert.Equal(6, (await frozen.JsonAsync()).GetArrayLength());
        await redis.ThawAsync();
        await redis.KillAsync();
        using var dead = await host.SendAsync($"{SyntheticStudies.SeriesPath(SyntheticStudies.Reports)}/metadata");
        Assert.Equal(1, (await dead.JsonAsync()).GetArrayLength());
        using var health = await host.SendAsync("/health");
        Assert.True(health.IsSuccessStatusCode);
    }
}
