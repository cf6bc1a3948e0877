using ImageApi.Tests.Origins.S3;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.TieredCache;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;

namespace ImageApi.Tests.Faults;

/// <summary>What Redis does to itself under load fails no request.</summary>
public sealed class RedisFaultTests
{
    private static readonly DicomBuilder[] Instances =
        [.. Enumerable.Range(1, 12).Select(number => new DicomBuilder { InstanceUid = $"{SyntheticStudies.Slices}.{number}", InstanceNumber = number, Rows = 256, Columns = 256 })];

    [ToolTheory("redis-server", "s3rver")]
    [InlineData("killed")]
    [InlineData("paused")]
    [InlineData("slow")]
    [InlineData("restarted")]
    [InlineData("flipping")]
    [InlineData("resetting")]
    public async Task Load_RedisMisbehaves_NoRequestFails(string fault)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.Start(redis.Port);
        await using var s3 = await S3Host.StartAsync(Fill, ("ConnectionStrings:cache", $"127.0.0.1:{proxy.Port},connectTimeout=1000"), ("TieredCache:Disk:Path", ""));
        await using var load = new FrameLoad([s3.Host], Instances);
        await UntilAsync(() => RedisHits(s3.Host) > 20);

        switch (fault)
        {
            case "killed":
                await redis.KillAsync();
                break;
            case "paused":
                await redis.FreezeAsync();
                break;
            case "slow":
                proxy.ToClient.Delay = TimeSpan.FromSeconds(2);
                break;
            case "restarted":
                await redis.KillAsync();
                await redis.StartAgainAsync();
                break;
            case "flipping":
                proxy.ToClient.FlipEveryBytes = 20_011;
                break;
            default:
                proxy.ToClient.ResetAfterBytes = 200_000;
                proxy.ResetConnections();
                break;
        }
        await load.AdvanceAsync(150);
        if (fault == "killed") await redis.StartAgainAsync();
        if (fault == "paused") await redis.ThawAsync();
        proxy.Heal();
        proxy.ResetConnections();
        var before = RedisHits(s3.Host);
        await UntilAsync(() => RedisHits(s3.Host) > before + 20);   // used again
        await load.AssertAllRightAsync();
    }

    private static long RedisHits(ImageApiHost host) =>
        host.Services.GetRequiredService<ITieredCache>().GetStatistics().Tiers.Where(row => row.Tier == CacheTier.Redis).Sum(row => row.Hits);

    private static void Fill(string folder)
    {
        foreach (var builder in Instances) builder.Save(Path.Combine(folder, $"{builder.InstanceNumber}.dcm"));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 3000, "It did not come to be in 30 s.");
            await Task.Delay(10);
        }
    }
}
