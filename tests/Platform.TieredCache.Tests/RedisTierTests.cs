using System.Buffers;
using System.Diagnostics;
using Platform.Tests.Shared;
using StackExchange.Redis;
using static Platform.TieredCache.Tests.SingleFlightTests;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>The remote tier against a real Redis, which is also killed, frozen and started again.</summary>
public class RedisTierTests
{
    private static readonly RedisTierOptions Options = new() { BreakDuration = TimeSpan.FromMilliseconds(200), Timeout = TimeSpan.FromMilliseconds(50) };

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_TwoCachesOneRedis_TheSecondMakesNothing()
    {
        await using var redis = await RedisServer.StartAsync("secret");
        await using var first = await Node.ConnectAsync(redis);
        await using var second = await Node.ConnectAsync(redis);
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
        var ttl = await first.Database.KeyTimeToLiveAsync(await first.OnlyValueKeyAsync());
        Assert.InRange(ttl!.Value, TimeSpan.FromMinutes(119), TimeSpan.FromHours(2));
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_FramesAndLargeValues_DoNotReachRedis()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await Node.ConnectAsync(redis);
        await node.MakeAsync(Key(1), 1000, EntryPolicy.For(EntryKind.Frame));
        await node.MakeAsync(Key(2, EntryKind.Metadata), 2 << 20, EntryPolicy.SharedDocument);
        await node.MakeAsync(Key(3, EntryKind.Metadata), 1000, EntryPolicy.SharedDocument);
        await node.WaitUntilStoredAsync(Key(3, EntryKind.Metadata));
        Assert.Equal(1, await node.CountKeysAsync());
    }

    [ToolTheory("redis-server")]
    [InlineData("cut")]
    [InlineData("flipped")]
    [InlineData("other")]
    [InlineData("foreign")]
    public async Task GetOrCreateAsync_DamagedValueInRedis_IsNotServed(string damage)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await Node.ConnectAsync(redis);
        await using var second = await Node.ConnectAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        await first.MakeAsync(key, 5000, EntryPolicy.SharedDocument);
        await first.WaitUntilStoredAsync(key);
        var name = await first.OnlyValueKeyAsync();
        byte[] value = (await first.Database.StringGetAsync(name))!;
        switch (damage)
        {
            case "cut": value = value[..^1]; break;
            case "flipped": value[^100] ^= 1; break;
            case "foreign": value = "no value of ours"u8.ToArray(); break;
            case "other":
                var other = Key(2, EntryKind.Metadata);
                value = RemoteEntryFormat.Write(other, new EntryHeader("a/b") { Length = 5000 }, new ReadOnlySequence<byte>(Bytes(other, 5000)));
                break;
        }

        await first.Database.StringSetAsync(name, value);
        await using var lease = await second.Cache.GetOrCreateAsync(key, 5000, EntryPolicy.SharedDocument, Maker(key), default);
        Assert.Equal(CacheTier.Origin, lease.Outcome.Tier);
        Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
        Assert.Equal(1, second.Cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Redis).Corruptions);
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisKilledAndBack_CostsNoErrorAndIsUsedAgain()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await Node.ConnectAsync(redis);
        await redis.KillAsync();
        for (var i = 0; i < 20; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000, EntryPolicy.SharedDocument);
        await redis.StartAgainAsync();
        var number = 100;
        await EventuallyAsync(() =>
        {
            _ = node.MakeAsync(Key(number++, EntryKind.Metadata), 1000, EntryPolicy.SharedDocument);
            return node.CountKeys() > 0;
        });
        Assert.False(node.Tier.IsBroken);
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisFrozen_CostsTheDeadlineAFewTimesThenNothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await Node.ConnectAsync(redis, new RedisTierOptions { BreakDuration = TimeSpan.FromMinutes(1) });
        await redis.FreezeAsync();
        try
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 3; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000, EntryPolicy.SharedDocument);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"three requests took {watch.ElapsedMilliseconds} ms");
            await EventuallyAsync(() => node.Tier.IsBroken);
            watch.Restart();
            for (var i = 100; i < 200; i++) await node.MakeAsync(Key(i, EntryKind.Metadata), 1000, EntryPolicy.SharedDocument);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), $"a hundred requests took {watch.ElapsedMilliseconds} ms while the tier was to be left alone");
            var row = node.Cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Redis);
            Assert.True(row is { Bypassed: >= 100, Errors: > 0 });
        }
        finally
        {
            await redis.ThawAsync();
        }
    }

    [Fact]
    public async Task GetOrCreateAsync_NoRedisThere_ServesAtOnce()
    {
        await using var cache = NewCache(redis: new RedisTier(() => throw new InvalidOperationException("no endpoint"), Options));
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
        }, Options));
        var key = Key(1, EntryKind.Metadata);
        await (await cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, Maker(key), default).AsTask().WaitAsync(TimeSpan.FromSeconds(1))).DisposeAsync();
        never.Set();
    }

    [ToolFact("redis-server")]
    public async Task RemoveAsync_Key_ForgetsItInRedisAndKeepsLateWritersOut()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await Node.ConnectAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        await node.MakeAsync(key, 1000, EntryPolicy.SharedDocument);
        await node.WaitUntilStoredAsync(key);
        await node.Cache.RemoveAsync(key, default);
        Assert.Equal(CacheResult.Miss, await node.Tier.WriteAsync(key, new EntryHeader("a/b") { Length = 3 }, new(new byte[3]), TimeSpan.Zero, default));
        await using var lease = await node.Cache.GetOrCreateAsync(key, 2000, EntryPolicy.SharedDocument, Maker(key), default);
        Assert.Equal(2000, lease.Header.Length);
    }

    [ToolFact("redis-server")]
    public async Task InvalidateAsync_Tag_ForgetsItForOtherNodesToo()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await Node.ConnectAsync(redis);
        await using var second = await Node.ConnectAsync(redis);
        var (red, blue) = (CacheTag.Of("series", "1"), CacheTag.Of("series", "2"));
        for (var i = 0; i < 4; i++) await first.MakeAsync(Key(i, EntryKind.Metadata), 100, EntryPolicy.SharedDocument, i % 2 == 0 ? red : blue);
        for (var i = 0; i < 4; i++) await first.WaitUntilStoredAsync(Key(i, EntryKind.Metadata));
        await first.Cache.InvalidateAsync(red, default);
        for (var i = 0; i < 4; i++)
        {
            var key = Key(i, EntryKind.Metadata);
            await using var lease = await second.Cache.GetOrCreateAsync(key, 200, EntryPolicy.SharedDocument, Maker(key), default);
            Assert.Equal(i % 2 == 0 ? CacheTier.Origin : CacheTier.Redis, lease.Outcome.Tier);
        }

        // A maker elsewhere that began before the invalidation comes too late.
        Assert.Equal(CacheResult.Miss, await second.Tier.WriteAsync(Key(9, EntryKind.Metadata), new EntryHeader("a/b") { Length = 3, Tags = [red] },
            new(new byte[3]), TimeSpan.Zero, default));
        Assert.Equal(CacheResult.Bypass, await second.Tier.WriteAsync(Key(9, EntryKind.Metadata), new EntryHeader("a/b") { Length = 3, Tags = [blue] },
            new(new byte[3]), TimeSpan.FromSeconds(31), default));
    }

    [ToolFact("redis-server")]
    public async Task RemoveAsync_RedisAway_IsOwedAndNothingIsReadBeforeItWasDone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await Node.ConnectAsync(redis);
        var (gone, other) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Metadata));
        await node.MakeAsync(gone, 1000, EntryPolicy.SharedDocument);
        await node.MakeAsync(other, 1000, EntryPolicy.SharedDocument);
        await node.WaitUntilStoredAsync(gone);
        await node.WaitUntilStoredAsync(other);
        await redis.FreezeAsync();
        await node.Cache.RemoveAsync(gone, default);
        await redis.ThawAsync();
        await Task.Delay(300);                                    // the breaker may try again
        await using var lease = await node.Cache.GetOrCreateAsync(gone, 2000, EntryPolicy.SharedDocument, Maker(gone), default);
        Assert.Equal(2000, lease.Header.Length);
    }

    [Fact]
    public void CircuitBreaker_FailuresInARow_OpensThenLetsOneTry()
    {
        var time = new ManualTime();
        var breaker = new CircuitBreaker(3, TimeSpan.FromSeconds(2), time);
        foreach (var _ in Enumerable.Range(0, 2)) breaker.Failed();
        breaker.Succeeded();
        foreach (var _ in Enumerable.Range(0, 2)) breaker.Failed();
        Assert.True(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.TryEnter());
        breaker.Failed();
        Assert.False(breaker.TryEnter());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(breaker.TryEnter());
        breaker.Succeeded();
        Assert.True(breaker.TryEnter() && breaker.TryEnter());
    }

    [Fact]
    public void TryRead_AnyByteChanged_IsRefused()
    {
        var key = Key(1, EntryKind.Metadata);
        var value = RemoteEntryFormat.Write(key, new EntryHeader("a/b") { Length = 20, Tags = [CacheTag.Of("a", "b")] }, new(Bytes(key, 20)));
        Assert.True(RemoteEntryFormat.TryRead(key, value, out _, out _));
        for (var i = 0; i < value.Length; i++)
        {
            value[i] ^= 0x10;
            Assert.False(RemoteEntryFormat.TryRead(key, value, out _, out _));
            Assert.False(RemoteEntryFormat.TryRead(key, value[..i], out _, out _));
            value[i] ^= 0x10;
        }
    }

    /// <summary>A cache of its own on the shared Redis, as another process would have it.</summary>
    private sealed class Node : IAsyncDisposable
    {
        private readonly ConnectionMultiplexer _connection;

        private Node(ConnectionMultiplexer connection, RedisTierOptions options)
        {
            _connection = connection;
            Tier = new RedisTier(() => connection, options);
            Tier.Warm();
            Cache = NewCache(redis: Tier);
        }

        public RedisTier Tier { get; }

        public TieredCache Cache { get; }

        public IDatabase Database => _connection.GetDatabase();

        public static async Task<Node> ConnectAsync(RedisServer redis, RedisTierOptions? options = null)
        {
            // A busy machine may take longer than 50 ms for a healthy command: tests of what works are patient, others say so.
            var node = new Node(await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",abortConnect=false"), options ?? new RedisTierOptions { Timeout = TimeSpan.FromSeconds(1), BreakDuration = Options.BreakDuration });
            await Task.Delay(50);
            return node;
        }

        public async Task MakeAsync(CacheKey key, int length, EntryPolicy policy, params CacheTag[] tags)
            => await (await Cache.GetOrCreateAsync(key, length, policy, Maker(key, true, tags), default)).DisposeAsync();

        public async Task WaitUntilStoredAsync(CacheKey key)
        {
            var probe = new byte[6 + CacheKey.Size];
            "ptc1:v"u8.CopyTo(probe);
            key.CopyTo(probe.AsSpan(6));
            for (var i = 0; i < 500 && !await Database.KeyExistsAsync(probe); i++) await Task.Delay(10);
            Assert.True(await Database.KeyExistsAsync(probe));
        }

        public async Task<RedisKey> OnlyValueKeyAsync()
            => (await Database.ScriptEvaluateAsync("return redis.call('KEYS', 'ptc1:v*')") is { } keys ? (RedisKey[])keys! : []).Single();

        public async Task<int> CountKeysAsync() => (int)await Database.ScriptEvaluateAsync("return #redis.call('KEYS', 'ptc1:v*')");

        public int CountKeys()
        {
            try
            {
                return (int)Database.ScriptEvaluate("return #redis.call('KEYS', 'ptc1:v*')");
            }
            catch (RedisConnectionException)
            {
                return 0;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Cache.DisposeAsync();
            _connection.Dispose();
        }
    }
}
