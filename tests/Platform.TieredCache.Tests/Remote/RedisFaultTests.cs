using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using Xunit.Abstractions;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>Two nodes under load while something happens to their Redis: no request fails, none gets wrong bytes, and soon it is as before.</summary>
public class RedisFaultTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Makes = TimeSpan.FromMilliseconds(5);

    [ToolTheory("redis-server")]
    [InlineData("killed")]
    [InlineData("paused")]
    [InlineData("slow")]
    [InlineData("full")]
    [InlineData("restarted")]
    public async Task GetOrCreateAsync_RedisUnderLoad_FailsNoRequestAndRecovers(string fault)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.Start(redis.Port);
        await using var first = await RedisNode.StartAsync(redis, new RedisTierOptions(), proxy.Port);
        await using var second = await RedisNode.StartAsync(redis, new RedisTierOptions(), proxy.Port);
        using var stop = new CancellationTokenSource();
        var (answers, clock) = (new ConcurrentQueue<(TimeSpan At, TimeSpan Took)>(), Stopwatch.StartNew());
        var people = Enumerable.Range(0, 8).Select(person => Task.Run(() => AskAsync(person % 2 == 0 ? first : second, new Random(person)))).ToArray();

        await Task.Delay(700);
        var began = clock.Elapsed;
        switch (fault)
        {
            case "killed": await redis.KillAsync(); break;
            case "paused": await redis.FreezeAsync(); break;
            case "slow": proxy.ToClient.Delay = TimeSpan.FromSeconds(2); break;
            case "full": await first.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1"); break;
            case "restarted":
                await redis.KillAsync();
                await redis.StartAgainAsync();
                break;
        }

        await Task.Delay(1200);
        var ended = clock.Elapsed;
        switch (fault)
        {
            case "killed": await redis.StartAgainAsync(); break;
            case "paused": await redis.ThawAsync(); break;
            case "slow": proxy.Heal(); break;
            case "full": await first.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "64mb"); break;
        }

        // Both nodes use it again: what the one makes, the other reads from it.
        await SingleFlightTests.EventuallyAsync(() => first.Tier is { IsReachable: true, Mark: not null } && second.Tier is { IsReachable: true, Mark: not null });
        var recovered = clock.Elapsed;
        var hits = RedisHits(first) + RedisHits(second);
        await SingleFlightTests.EventuallyAsync(() => RedisHits(first) + RedisHits(second) > hits);
        await Task.Delay(700);
        await stop.CancelAsync();
        await Task.WhenAll(people);        // nothing was thrown

        var (before, during, after) = (P99(TimeSpan.Zero, began), P99(began, ended), P99(recovered, TimeSpan.MaxValue));
        output.WriteLine($"{fault}: {answers.Count} answers, p99 before {before.TotalMilliseconds:0.0} ms, during {during.TotalMilliseconds:0.0} ms, after {after.TotalMilliseconds:0.0} ms; reachable {(recovered - ended).TotalSeconds:0.0} s after the end");
        Assert.True(during < TimeSpan.FromSeconds(2), $"p99 {during} while it was {fault}");
        // A lease that was asked for just before the fault may have to run out first.
        Assert.True(after < (10 * before) + TimeSpan.FromSeconds(1), $"p99 {before} before and {after} after it was {fault}");

        async Task AskAsync(RedisNode node, Random random)
        {
            while (!stop.IsCancellationRequested)
            {
                var key = Key(random.Next(150), EntryKind.Metadata);
                var asked = clock.Elapsed;
                await using (var lease = await node.Cache.GetOrCreateAsync(key, 20_000 + key.Index, EntryPolicy.SharedDocument, async (n, writer, token) =>
                {
                    await Task.Delay(Makes, token);
                    writer.Start(new EntryHeader("a/b") { Length = n });
                    writer.Write(Bytes(key, n));
                }, default))
                {
                    if (!lease.TryGetBytes(out var bytes) || !Matches(key, bytes)) throw new InvalidOperationException("Wrong bytes.");
                }

                answers.Enqueue((asked, clock.Elapsed - asked));
                if (random.Next(5) == 0) await node.Cache.RemoveAsync(key, default);
                await Task.Delay(1);
            }
        }

        TimeSpan P99(TimeSpan from, TimeSpan to)
        {
            var took = answers.Where(a => a.At >= from && a.At < to).Select(a => a.Took).Order().ToArray();
            return took[(took.Length - 1) * 99 / 100];
        }
    }

    private static long RedisHits(RedisNode node) => node.Cache.GetStatistics().Tiers.Where(t => t.Tier == CacheTier.Redis).Sum(t => t.Hits);
}
