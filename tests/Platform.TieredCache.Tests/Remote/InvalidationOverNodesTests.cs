using System.Buffers;
using Platform.Tests.Shared;
using Platform.Tests.Shared.Faults;
using static Platform.TieredCache.Tests.SingleFlightTests;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>What one node invalidates, all forget: in Redis at once, in their memories when they hear of it, also after they could not.</summary>
public class InvalidationOverNodesTests
{
    private static readonly CacheTag Red = CacheTag.Of("series", "1"), Blue = CacheTag.Of("series", "2");

    [ToolFact("redis-server")]
    public async Task RemoveAsync_Key_ForgetsItEverywhereAndKeepsLateWritersOut()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var (key, other) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Metadata));
        foreach (var one in (CacheKey[])[key, other])
        {
            await first.MakeAsync(one, 1000);
            await first.WaitUntilStoredAsync(one);
            await second.MakeAsync(one, 1000);
        }

        var before = first.Tier.Mark;
        await first.Cache.RemoveAsync(key, default);
        Assert.False(await first.Database.KeyExistsAsync(RedisTier.ValueKey(key)));
        await EventuallyAsync(() => !second.HasInMemory(key));
        Assert.True(second.HasInMemory(other));
        // A maker that began before the removal, here or elsewhere, comes too late.
        Assert.Equal(CacheResult.Miss, await first.Tier.WriteAsync(key, Header(3), new(new byte[3]), before, default));
        Assert.Equal(2000, (await ReadAsync(first, key, 2000)).Length);
        await first.WaitUntilStoredAsync(key);
    }

    [ToolTheory("redis-server")]
    [InlineData(InvalidationScope.Tag)]
    [InlineData(InvalidationScope.Kind)]
    [InlineData(InvalidationScope.All)]
    public async Task InvalidateAsync_ScopeOfMany_ForgetsThoseOnOtherNodesAndInRedis(object scope)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var (hit, spared) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Manifest));
        await first.MakeAsync(hit, 100, null, Red, Blue);
        await first.MakeAsync(spared, 100, null, Blue);
        foreach (var one in (CacheKey[])[hit, spared])
        {
            await first.WaitUntilStoredAsync(one);
            await second.MakeAsync(one, 100);
        }

        var before = second.Tier.Mark;
        await first.Tier.InvalidateAsync(scope switch
        {
            InvalidationScope.Tag => Invalidation.Of(Red),
            InvalidationScope.Kind => Invalidation.Of(EntryKind.Metadata),
            _ => Invalidation.All,
        }, default);
        await EventuallyAsync(() => !second.HasInMemory(hit));
        Assert.Equal(scope is not InvalidationScope.All, second.HasInMemory(spared));
        await using var third = await RedisNode.StartAsync(redis);
        Assert.Equal(CacheTier.Origin, (await third.MakeAsync(hit, 100)).Tier);
        Assert.Equal(scope is InvalidationScope.All ? CacheTier.Origin : CacheTier.Redis, (await third.MakeAsync(spared, 100)).Tier);
        Assert.Equal(CacheResult.Miss, await second.Tier.WriteAsync(Key(9, EntryKind.Metadata), Header(3, Red), new(new byte[3]), before, default));
    }

    [ToolFact("redis-server")]
    public async Task InvalidateAsync_AnotherNodesMakerUnderWay_IsNotKeptThere()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var (started, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        var making = second.Cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, async (n, writer, _) =>
        {
            writer.Start(Header(n, Red));
            writer.Write(Bytes(key, n));
            started.SetResult();
            await gate.Task;
        }, default).AsTask();
        await started.Task.WaitAsync(Patience);
        var seen = second.Tier.Mark;
        await first.Cache.InvalidateAsync(Red, default);
        await EventuallyAsync(() => second.Tier.Mark != seen);
        gate.SetResult();
        await (await making).DisposeAsync();
        await EventuallyAsync(() => second.Cache.Flights == 0);
        Assert.False(second.HasInMemory(key));
        Assert.Equal(0, await second.CountValuesAsync());
    }

    [ToolFact("redis-server")]
    public async Task Follow_NodeCutOff_CatchesUpWhenItIsBack()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.Start(redis.Port);
        await using var first = await RedisNode.StartAsync(redis);
        await using var cut = await RedisNode.StartAsync(redis, port: proxy.Port);
        var (gone, kept) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Metadata));
        await cut.MakeAsync(gone, 100, null, Red);
        await cut.MakeAsync(kept, 100, null, Blue);
        proxy.NewConnections = NewConnections.Reset;
        proxy.ResetConnections();
        for (var i = 0; i < 600; i++) await first.Cache.InvalidateAsync(CacheTag.Of("other", $"{i}"), default);        // more than one read of the log gives
        await first.Cache.InvalidateAsync(Red, default);
        Assert.True(cut.HasInMemory(gone));                      // it cannot know
        proxy.Heal();
        await EventuallyAsync(() => !cut.HasInMemory(gone));
        Assert.True(cut.HasInMemory(kept));
    }

    [ToolFact("redis-server")]
    public async Task Follow_MessagesLost_HearsOfItByAsking()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var deaf = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        await deaf.MakeAsync(key, 100, null, Red);
        await first.Database.ExecuteAsync("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 1 1");     // who is told anything is hung up on
        await first.Cache.InvalidateAsync(Red, default);
        await EventuallyAsync(() => !deaf.HasInMemory(key));
    }

    [ToolFact("redis-server")]
    public async Task Follow_EntriesGoneFromTheLog_ForgetsEverything()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.Start(redis.Port);
        var options = RedisNode.Patient;
        options.LogEntries = 10;
        await using var first = await RedisNode.StartAsync(redis, options);
        await using var cut = await RedisNode.StartAsync(redis, port: proxy.Port);
        var key = Key(1, EntryKind.Metadata);
        await cut.MakeAsync(key, 100, null, Blue);
        await cut.WaitUntilStoredAsync(key);
        proxy.NewConnections = NewConnections.Reset;
        proxy.ResetConnections();
        for (var i = 0; i < 20; i++) await first.Cache.InvalidateAsync(CacheTag.Of("other", $"{i}"), default);
        proxy.Heal();
        await EventuallyAsync(() => !cut.HasInMemory(key));
        Assert.Equal(CacheTier.Origin, (await first.MakeAsync(key, 100)).Tier);        // nor can anybody say whether the value in Redis still holds
        Assert.True(await first.Database.HashLengthAsync(RedisLog.Key) < 40);
    }

    [ToolFact("redis-server")]
    public async Task InvalidateAsync_RedisAway_IsOwedAndNothingIsReadBeforeItWasTold()
    {
        await using var redis = await RedisServer.StartAsync();
        var options = RedisNode.Patient;
        options.Timeout = TimeSpan.FromMilliseconds(200);
        await using var node = await RedisNode.StartAsync(redis, options);
        await using var other = await RedisNode.StartAsync(redis);
        var (gone, spared) = (Key(1, EntryKind.Metadata), Key(2, EntryKind.Metadata));
        await node.MakeAsync(gone, 1000, null, Red);
        await node.MakeAsync(spared, 1000, null, Blue);
        await node.WaitUntilStoredAsync(gone);
        await node.WaitUntilStoredAsync(spared);
        await other.MakeAsync(gone, 1000);
        await redis.FreezeAsync();
        await node.Cache.InvalidateAsync(Red, default);
        Assert.Equal(1, node.Tier.OwedInvalidations);
        await redis.ThawAsync();
        Assert.Equal(2000, (await ReadAsync(node, gone, 2000)).Length);
        await EventuallyAsync(() => node.Tier.OwedInvalidations == 0 && !other.HasInMemory(gone));
        await using var third = await RedisNode.StartAsync(redis);
        Assert.Equal(CacheTier.Redis, (await third.MakeAsync(spared, 1000)).Tier);
    }

    [ToolFact("redis-server")]
    public async Task Follow_RedisStartsEmpty_MemoryIsForgottenAndItIsToldAgain()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.Start(redis.Port);
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis, port: proxy.Port);
        var key = Key(1, EntryKind.Metadata);
        await second.MakeAsync(key, 100, null, Red);
        proxy.NewConnections = NewConnections.Reset;
        proxy.ResetConnections();
        await first.Cache.InvalidateAsync(Red, default);       // Redis dies before the second node could hear of it
        await redis.KillAsync();
        await EventuallyAsync(() => !first.Tier.IsReachable);
        await redis.StartAgainAsync();
        await first.WaitUntilReadyAsync();
        await first.WaitUntilAsync(database => database.HashGet(RedisLog.Key, "seq") == 1);       // told again
        proxy.Heal();
        await EventuallyAsync(() => !second.HasInMemory(key));
        await second.WaitUntilReadyAsync();
        await second.MakeAsync(key, 100, null, Red);
        Assert.True(second.HasInMemory(key));
    }

    [ToolFact("redis-server")]
    public async Task InvalidateAsync_RedisFull_MakesEveryValueInItVoidRatherThanServeTheInvalidated()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        await first.MakeAsync(key, 1000, null, Red);
        await first.WaitUntilStoredAsync(key);
        await second.MakeAsync(key, 1000);
        await first.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await first.Cache.InvalidateAsync(Red, default);
        Assert.Equal(1, first.Tier.OwedInvalidations);
        await EventuallyAsync(() => !second.HasInMemory(key));
        Assert.Equal(CacheTier.Origin, (await second.MakeAsync(key, 1000)).Tier);
        await first.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "64mb");
        await EventuallyAsync(() => first.Tier is { OwedInvalidations: 0, Mark: not null } && second.Tier.Mark is not null);
    }

    [ToolFact("redis-server")]
    public async Task ClearAsync_RedisOnly_LeavesTheMemoriesAlone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        for (var i = 0; i < 500; i++) await first.MakeAsync(Key(i, EntryKind.Metadata), 1000);
        await first.WaitUntilAsync(database => (int)database.ScriptEvaluate("return #redis.call('KEYS', 'ptc2:v*')") > 400);
        await second.MakeAsync(Key(0, EntryKind.Metadata), 1000);
        var before = first.Tier.Mark;
        var report = await first.Cache.ClearAsync(CacheScope.Tier(CacheTier.Redis), default);
        Assert.True(report.Tiers.Single() is { Entries: > 400, Bytes: > 400_000 });
        await EventuallyAsync(() => second.Tier.Mark != before);
        Assert.True(second.HasInMemory(Key(0, EntryKind.Metadata)) && first.HasInMemory(Key(499, EntryKind.Metadata)));
        Assert.Equal(0, await first.CountValuesAsync());
        Assert.Equal(CacheResult.Miss, await second.Tier.WriteAsync(Key(0, EntryKind.Metadata), Header(3), new(new byte[3]), before, default));
        Assert.Equal(CacheTier.Origin, (await second.MakeAsync(Key(9, EntryKind.Metadata), 1000)).Tier);
    }

    private static EntryHeader Header(int length, params CacheTag[] tags) => new("a/b") { Length = length, Tags = [.. tags], BodyDigest = Digest256.HashData(new byte[length]) };

    private static async Task<EntryHeader> ReadAsync(RedisNode node, CacheKey key, int length)
    {
        await using var lease = await node.Cache.GetOrCreateAsync(key, length, EntryPolicy.SharedDocument, Maker(key), default);
        return lease.Header;
    }
}
