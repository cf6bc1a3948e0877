using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Platform.Tests.Shared;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>
/// Values that say which version of the truth they were made from, changed and invalidated all the time on every node. Whoever asks gets nothing older than the
/// promise allows: a node with an empty memory nothing that was invalidated before it asked, on whatever node; the node that invalidated the same; any other
/// node nothing that was invalidated a while before.
/// </summary>
public class InvalidationSoakTests
{
    private const int Keys = 6;

    [ToolFact("redis-server")]
    public async Task InvalidateAsync_AllTheTimeOnAllNodes_NobodyGetsWhatWasInvalidated()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await RedisNode.StartAsync(redis);
        await using var b = await RedisNode.StartAsync(redis);
        await using var empty = await RedisNode.StartAsync(redis);
        var truth = new int[Keys];
        var invalidated = new int[Keys];                                            // this version or later, since InvalidateAsync returned
        var history = Enumerable.Range(0, Keys).Select(_ => new List<(TimeSpan At, int Version)>()).ToArray();
        var (clock, reads, hits) = (Stopwatch.StartNew(), 0, 0);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        await Task.WhenAll(
            ChangeAsync(a, 1), ChangeAsync(b, 2),
            ReadAsync(a, 3), ReadAsync(a, 4), ReadAsync(b, 5), ReadAsync(b, 6), ReadEmptyAsync(7), ReadEmptyAsync(8, fromKey: Keys / 2));
        Assert.True(reads > 500 && hits > 20, $"{reads} reads, {hits} of them from Redis: not much was tested");

        async Task ChangeAsync(RedisNode node, int seed)
        {
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                // Each node changes keys of its own, so that versions only grow.
                var key = random.Next(Keys / 2) + (node == a ? 0 : Keys / 2);
                var version = Interlocked.Increment(ref truth[key]);
                if (random.Next(2) == 0) await node.Cache.InvalidateAsync(TagOf(key), default);
                else await node.Cache.RemoveAsync(KeyOf(key), default);
                Volatile.Write(ref invalidated[key], version);
                lock (history) history[key].Add((clock.Elapsed, version));
                Assert.True(await AskAsync(node, key) >= version);
                await Task.Delay(random.Next(20));
            }
        }

        async Task ReadAsync(RedisNode node, int seed)
        {
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                var (key, asked) = (random.Next(Keys), clock.Elapsed);
                var version = await AskAsync(node, key);
                int least;
                // A second is promised; a machine that is busy with other things gets five.
                lock (history) least = history[key].Where(h => h.At < asked - TimeSpan.FromSeconds(5)).Select(h => h.Version).DefaultIfEmpty().Max();
                Assert.True(version >= least, $"version {version} of key {key}, and {least} was told five seconds before");
                await Task.Delay(1);
            }
        }

        async Task ReadEmptyAsync(int seed, int fromKey = 0)
        {
            // One reader for each half of the keys: it joins nobody's flight that began before.
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                var key = fromKey + random.Next(Keys / 2);
                empty.Cache.Memory.Forget(Invalidation.Of(KeyOf(key)));
                var least = Volatile.Read(ref invalidated[key]);
                var version = await AskAsync(empty, key);
                Assert.True(version >= least, $"version {version} of key {key}, and {least} had been told");
                await Task.Delay(1);
            }
        }

        async Task<int> AskAsync(RedisNode node, int key)
        {
            await using var lease = await node.Cache.GetOrCreateAsync(KeyOf(key), key, EntryPolicy.SharedDocument, async (k, writer, token) =>
            {
                var version = Volatile.Read(ref truth[k]);
                await Task.Delay(Random.Shared.Next(4), token);
                writer.Start(new EntryHeader("a/b") { Length = 4, Tags = [TagOf(k)] });
                BinaryPrimitives.WriteInt32LittleEndian(writer.GetSpan(4), version);
                writer.Advance(4);
            }, default);
            Interlocked.Increment(ref reads);
            if (lease.Outcome.Tier == CacheTier.Redis) Interlocked.Increment(ref hits);
            Assert.True(lease.TryGetBytes(out var bytes));
            return BinaryPrimitives.ReadInt32LittleEndian(bytes.ToArray());
        }
    }

    private static CacheKey KeyOf(int key) => Key(key, EntryKind.Metadata);

    private static CacheTag TagOf(int key) => CacheTag.Of("soak", $"{key}");
}
