using System.Buffers;
using System.Diagnostics;
using Platform.Tests.Shared;
using StackExchange.Redis;
using static Platform.TieredCache.Tests.SingleFlightTests;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>The Redis tier against a real Redis, which is also killed, frozen, filled and started again.</summary>
public class RedisTierTests
{
    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_TwoCachesOneRedis_TheSecondMakesNothing()
    {
        await using var redis = await RedisServer.StartAsync("secret");
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var header = new EntryHeader("application/dicom+json")
        {
            ContentCoding = "gzip",
            PixelDigest = Digest256.HashData([1]),
            Tags = [CacheTag.Of("series", "1")],
            Extra = new byte[] { 1, 2, 3 },
        };
        await using (await first.Cache.GetOrCreateAsync(key, 40_000, EntryPolicy.SharedDocument, (n, writer, _) =>
        {
            writer.Start(header);
            writer.Write(Bytes(key, n));
            return Task.CompletedTask;
        }, default))
        {
        }

        await first.WaitUntilStoredAsync(key);
        await using var lease = await second.Cache.GetOrCreateAsync(key, 40_000, EntryPolicy.SharedDocument, NeverCalled, default);
        Assert.Equal((CacheTier.Redis, CacheResult.Hit), (lease.Outcome.Tier, lease.Outcome.Result));
        Assert.True(lease.TryGetBytes(out var bytes) && bytes.Length == 40_000 && Matches(key, bytes));
        Assert.Equal(("application/dicom+json", "gzip", 40_000L), (lease.Header.MediaType, lease.Header.ContentCoding, lease.Header.Length));
        Assert.Equal(Digest256.HashData(Bytes(key, 40_000)), lease.Header.BodyDigest);
        Assert.Equal(header.PixelDigest, lease.Header.PixelDigest);
        Assert.Equal(header.Tags.ToArray(), lease.Header.Tags.ToArray());
        Assert.Equal([1, 2, 3], lease.Header.Extra.ToArray());
        await using var again = await second.Cache.GetOrCreateAsync(key, 0, EntryPolicy.SharedDocument, NeverCalled, default);
        Assert.Equal(CacheTier.Memory, again.Outcome.Tier);
        var ttl = await first.Database.KeyTimeToLiveAsync(RedisTier.ValueKey(key));
        Assert.InRange(ttl!.Value, TimeSpan.FromMinutes(119), TimeSpan.FromHours(2));
    }

    [ToolTheory("redis-server")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(RedisTier.ChunkBytes)]
    [InlineData(RedisTier.ChunkBytes + 1)]
    [InlineData(1 << 20)]
    public async Task GetOrCreateAsync_ValueOfAnySize_LiesInChunksAndComesBackWhole(int length)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        await first.MakeAsync(key, length);
        await first.WaitUntilStoredAsync(key);
        var fields = await first.Database.HashGetAllAsync(RedisTier.ValueKey(key));
        Assert.All(fields, field => Assert.True(((byte[])field.Value!).Length <= RedisTier.ChunkBytes));
        Assert.Equal(3 + Math.Max(1, (length + RedisTier.ChunkBytes - 1) / RedisTier.ChunkBytes), fields.Length);
        Assert.Equal(CacheTier.Redis, (await second.MakeAsync(key, length)).Tier);
        Assert.Equal(0, await second.CountValuesAsync() - 1);
        Assert.Equal(0, (int)await second.Database.ScriptEvaluateAsync("return #redis.call('KEYS', 'ptc2:w*')"));
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RelayedFramesAndLargeValues_DoNotReachRedis()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await RedisNode.StartAsync(redis);
        await node.MakeAsync(Key(1), 1000, EntryPolicy.Relayed);
        await node.MakeAsync(Key(2, EntryKind.Metadata), 2 << 20);
        await node.MakeAsync(Key(3, EntryKind.Metadata), 1000);
        await node.WaitUntilStoredAsync(Key(3, EntryKind.Metadata));
        Assert.Equal(1, await node.CountValuesAsync());
    }

    [ToolTheory("redis-server")]
    [InlineData("cut chunk")]
    [InlineData("flipped chunk")]
    [InlineData("missing chunk")]
    [InlineData("flipped header")]
    [InlineData("empty header")]
    [InlineData("another key's")]
    [InlineData("foreign type")]
    public async Task GetOrCreateAsync_DamagedValueInRedis_IsNotServed(string damage)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var (key, other) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Metadata));
        foreach (var one in (CacheKey[])[key, other])
        {
            await first.MakeAsync(one, 150_000);
            await first.WaitUntilStoredAsync(one);
        }

        var (name, database) = (RedisTier.ValueKey(key), first.Database);
        byte[] chunk = (await database.HashGetAsync(name, 1))!, header = (await database.HashGetAsync(name, "h"))!;
        switch (damage)
        {
            case "cut chunk": await database.HashSetAsync(name, 1, chunk[..^1]); break;
            case "missing chunk": await database.HashDeleteAsync(name, 1); break;
            case "empty header": await database.HashSetAsync(name, "h", ""); break;
            case "flipped chunk":
                chunk[^100] ^= 1;
                await database.HashSetAsync(name, 1, chunk);
                break;
            case "flipped header":
                header[^1] ^= 1;
                await database.HashSetAsync(name, "h", header);
                break;
            case "another key's":
                await database.KeyRenameAsync(RedisTier.ValueKey(other), name);
                break;
            case "foreign type": await database.StringSetAsync(name, "no value of ours"); break;
        }

        Assert.Equal(CacheTier.Origin, (await second.MakeAsync(key, 150_000)).Tier);
        var row = second.Cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Redis);
        if (damage is not ("missing chunk" or "foreign type")) Assert.True(row.Corruptions > 0);
    }

    [Fact]
    public void Read_AnyByteOfTheHeaderChanged_IsRefused()
    {
        var key = Key(1, EntryKind.Metadata);
        var value = RedisEntryFormat.Write(key, new EntryHeader("a/b") { Length = 20, BodyDigest = Digest256.HashData([1]), Tags = [CacheTag.Of("a", "b")] });
        Assert.NotNull(RedisEntryFormat.Read(key, value));
        Assert.Null(RedisEntryFormat.Read(Key(2, EntryKind.Metadata), value));
        for (var i = 0; i < value.Length; i++)
        {
            value[i] ^= 0x10;
            Assert.Null(RedisEntryFormat.Read(key, value));
            Assert.Null(RedisEntryFormat.Read(key, value.AsSpan(0, i)));
            value[i] ^= 0x10;
        }
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisKilledAndBack_CostsNoErrorAndIsUsedAgain()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await RedisNode.StartAsync(redis);
        await redis.KillAsync();
        for (var i = 0; i < 20; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000);
        await EventuallyAsync(() => !node.Tier.IsReachable);
        await redis.StartAgainAsync();
        await node.WaitUntilReadyAsync();
        await node.MakeAsync(Key(100, EntryKind.Metadata), 1000);
        await node.WaitUntilStoredAsync(Key(100, EntryKind.Metadata));
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisFrozen_CostsTheDeadlineAFewTimesThenNothing()
    {
        await using var redis = await RedisServer.StartAsync();
        var options = RedisNode.Patient;
        options.BreakDuration = TimeSpan.FromMinutes(1);
        options.Timeout = TimeSpan.FromMilliseconds(500);
        await using var node = await RedisNode.StartAsync(redis, options);
        await redis.FreezeAsync();
        try
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 4; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(6), $"four requests took {watch.ElapsedMilliseconds} ms");
            await EventuallyAsync(() => !node.Tier.IsReachable);
            watch.Restart();
            for (var i = 100; i < 200; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"a hundred requests took {watch.ElapsedMilliseconds} ms while the tier was to be left alone");
            var row = node.Cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Redis);
            Assert.True(row is { Bypassed: >= 100, Errors: > 0 });
        }
        finally
        {
            await redis.ThawAsync();
        }
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisFull_ServesAndStoresAgainWhenThereIsRoom()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await RedisNode.StartAsync(redis);
        await node.MakeAsync(Key(1, EntryKind.Metadata), 1000);
        await node.WaitUntilStoredAsync(Key(1, EntryKind.Metadata));
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        for (var i = 2; i < 20; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 100_000);
        await EventuallyAsync(() => node.Cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Redis) is { Misses: >= 18 });
        Assert.True(node.Tier.IsReachable);
        Assert.Equal(1, await node.CountValuesAsync());
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "64mb");
        await node.MakeAsync(Key(50, EntryKind.Metadata), 100_000);
        await node.WaitUntilStoredAsync(Key(50, EntryKind.Metadata));
    }

    [Fact]
    public async Task GetOrCreateAsync_NoRedisThere_ServesAtOnce()
    {
        await using var cache = NewCache(redis: new RedisTier(() => throw new InvalidOperationException("no endpoint"), RedisNode.Patient));
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++)
        {
            var key = Key(i, EntryKind.Metadata);
            await (await cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, Maker(key), default)).DisposeAsync();
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task GetOrCreateAsync_ConnectingBlocks_ServesAtOnce()
    {
        using var never = new ManualResetEventSlim();
        await using var cache = NewCache(redis: new RedisTier(() =>
        {
            never.Wait();
            throw new InvalidOperationException();
        }, RedisNode.Patient));
        var key = Key(1, EntryKind.Metadata);
        await (await cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, Maker(key), default).AsTask().WaitAsync(TimeSpan.FromSeconds(5))).DisposeAsync();
        never.Set();
    }
}
