using System.Buffers;
using System.Diagnostics;
using Platform.Tests.Shared;
using static Platform.TieredCache.Tests.SingleFlightTests;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>One maker for all nodes, and what happens when it is not there any more.</summary>
public class SingleFlightOverNodesTests
{
    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_ThousandCallersOnThreeNodes_MakeItOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await RedisNode.StartAsync(redis);
        await using var b = await RedisNode.StartAsync(redis);
        await using var c = await RedisNode.StartAsync(redis);
        var (key, made) = (Key(1, EntryKind.Metadata), 0);
        var nodes = new[] { a, b, c };
        var callers = Enumerable.Range(0, 1000).Select(async i =>
        {
            await using var lease = await nodes[i % 3].Cache.GetOrCreateAsync(key, 300_000, EntryPolicy.SharedDocument, async (n, writer, token) =>
            {
                Interlocked.Increment(ref made);
                await Task.Delay(300, token);
                writer.Start(new EntryHeader("a/b") { Length = n });
                writer.Write(Bytes(key, n));
            }, default);
            return lease.TryGetBytes(out var bytes) && bytes.Length == 300_000 && Matches(key, bytes);
        });
        Assert.All(await Task.WhenAll(callers).WaitAsync(Patience), Assert.True);
        Assert.Equal(1, made);
        await EventuallyAsync(() => !a.Database.KeyExists(RedisTier.TurnKey(key)));
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_HolderKilled_AnotherNodeMakesItWhenTheLeaseEnds()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await RedisNode.StartAsync(redis);
        await using var holder = Child.Start("hold-turn", redis.ConnectionString);
        await holder.WaitForLineAsync("making");
        var key = Key(1, EntryKind.Metadata);
        var asking = node.MakeAsync(key, 1000);
        await Task.Delay(TimeSpan.FromSeconds(2.5));       // longer than a lease: the holder is alive and is waited for
        Assert.False(asking.IsCompleted);
        await holder.KillAsync();
        Assert.Equal(CacheTier.Origin, (await asking.WaitAsync(Patience)).Tier);
    }

    /// <summary>The child of the test above: begins to make a value and never ends.</summary>
    internal static async Task HoldTurnAsync(string[] arguments)
    {
        await using var tier = new RedisTier(arguments[0], RedisNode.Patient);
        await using var cache = NewCache(redis: tier);
        while (tier.Mark is null) await Task.Delay(20);
        await cache.GetOrCreateAsync(Key(1, EntryKind.Metadata), 0, EntryPolicy.SharedDocument, async (_, _, token) =>
        {
            Console.WriteLine("making");
            await Task.Delay(Timeout.Infinite, token);
        }, default);
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_HolderFails_TheOthersTryAtOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var (started, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        var failing = first.Cache.GetOrCreateAsync(key, 0, EntryPolicy.SharedDocument, async (_, _, _) =>
        {
            started.SetResult();
            await gate.Task;
            throw new InvalidDataException("the origin's");
        }, default).AsTask();
        await started.Task.WaitAsync(Patience);
        var asking = second.MakeAsync(key, 1000);
        await Task.Delay(100);
        Assert.False(asking.IsCompleted);
        gate.SetResult();
        await Assert.ThrowsAsync<InvalidDataException>(() => failing);
        Assert.Equal(CacheTier.Origin, (await asking.WaitAsync(Patience)).Tier);
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_ValueTooLargeToShare_IsNotWaitedFor()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var (started, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = first.Cache.GetOrCreateAsync(key, 2 << 20, EntryPolicy.SharedDocument, async (n, writer, _) =>
        {
            writer.Start(new EntryHeader("a/b") { Length = n });
            started.SetResult();
            await gate.Task;
            writer.Write(Bytes(key, n));
        }, default).AsTask();
        await started.Task.WaitAsync(Patience);
        Assert.Equal(CacheTier.Origin, (await second.MakeAsync(key, 2 << 20).WaitAsync(Patience)).Tier);
        Assert.False(slow.IsCompleted);
        gate.SetResult();
        await (await slow).DisposeAsync();
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_RedisDiesWhileAnotherMakes_EveryoneMakesIt()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var (started, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = first.Cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, async (n, writer, _) =>
        {
            started.SetResult();
            await gate.Task;
            writer.Start(new EntryHeader("a/b") { Length = n });
            writer.Write(Bytes(key, n));
        }, default).AsTask();
        await started.Task.WaitAsync(Patience);
        var asking = second.MakeAsync(key, 100);
        await redis.KillAsync();
        Assert.Equal(CacheTier.Origin, (await asking.WaitAsync(Patience)).Tier);
        gate.SetResult();
        await (await slow).DisposeAsync();
    }

    [ToolFact("redis-server")]
    public async Task GetOrCreateAsync_LastCallerLeavesWhileWaitingForAnotherNode_StopsWaiting()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await RedisNode.StartAsync(redis);
        await using var second = await RedisNode.StartAsync(redis);
        var key = Key(1, EntryKind.Metadata);
        var (started, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = first.Cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, async (n, writer, _) =>
        {
            started.SetResult();
            await gate.Task;
            writer.Start(new EntryHeader("a/b") { Length = n });
            writer.Write(Bytes(key, n));
        }, default).AsTask();
        await started.Task.WaitAsync(Patience);
        using var leaving = new CancellationTokenSource();
        var asking = second.Cache.GetOrCreateAsync(key, 100, EntryPolicy.SharedDocument, NeverCalled, leaving.Token).AsTask();
        await Task.Delay(50);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await EventuallyAsync(() => second.Cache.Flights == 0);
        gate.SetResult();
        await (await slow).DisposeAsync();
    }
}
