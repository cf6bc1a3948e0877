using System.Buffers;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

public class SingleFlightTests
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task GetOrCreateAsync_ManyAtOnce_MakeOnce()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var (gate, made) = (new TaskCompletionSource(), 0);
        var callers = Enumerable.Range(0, 100).Select(_ => Task.Run(async () =>
        {
            await using var lease = await cache.GetOrCreateAsync(key, 20_000, EntryPolicy.Derived, async (n, writer, token) =>
            {
                Interlocked.Increment(ref made);
                await gate.Task;
                await Maker(key)(n, writer, token);
            }, default);
            return (lease.Outcome.Result, Matches: lease.TryGetBytes(out var bytes) && bytes.Length == 20_000 && Matches(key, bytes));
        })).ToArray();
        await EventuallyAsync(() => cache.GetStatistics().Tiers.Sum(t => t.Tier == CacheTier.Memory ? t.Misses : 0) == 100);
        gate.SetResult();
        var results = await Task.WhenAll(callers).WaitAsync(Patience);
        Assert.Equal(1, made);
        Assert.All(results, result => Assert.True(result.Matches));
        Assert.Equal(99, results.Count(result => result.Result == CacheResult.Coalesced));
        Assert.Equal(0, cache.Flights);
    }

    [Fact]
    public async Task GetOrCreateAsync_OneCallerLeaves_WorkGoesOnForTheOthers()
    {
        await using var cache = NewCache();
        var (key, gate) = (Key(1), new TaskCompletionSource());
        using var leaving = new CancellationTokenSource();
        var first = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Gated(key, gate.Task), leaving.Token).AsTask();
        var second = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, NeverCalled, default).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        await using var lease = await second.WaitAsync(Patience);
        Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
    }

    [Fact]
    public async Task GetOrCreateAsync_LastCallerLeaves_CancelsTheMakerAndTheNextBeginsAnew()
    {
        await using var cache = NewCache();
        var key = Key(1);
        using var leaving = new CancellationTokenSource();
        var cancelled = new TaskCompletionSource();
        Task<CacheLease>[] callers =
        [
            Ask(), Ask(),
        ];
        await leaving.CancelAsync();
        foreach (var caller in callers) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        await cancelled.Task.WaitAsync(Patience);
        await using var lease = await cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Maker(key), default);
        Assert.True(lease.TryGetBytes(out _));
        await EventuallyAsync(() => cache.Flights == 0);

        Task<CacheLease> Ask() => cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, async (_, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b"));
            writer.Write(new byte[10]);
            token.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, token);
        }, leaving.Token).AsTask();
    }

    [Fact]
    public async Task GetOrCreateAsync_MakerFails_FailsItsWaitersAndKeepsNothing()
    {
        await using var cache = NewCache();
        var (key, gate, calls) = (Key(1), new TaskCompletionSource(), 0);
        var callers = Enumerable.Range(0, 5).Select(_ => cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, async (_, writer, _) =>
        {
            calls++;
            writer.Start(new EntryHeader("a/b"));
            writer.Write(new byte[5000]);
            await gate.Task;
            throw new IOException("The origin hung up.");
        }, default).AsTask()).ToArray();
        gate.SetResult();
        foreach (var caller in callers) Assert.Equal("The origin hung up.", (await Assert.ThrowsAsync<IOException>(() => caller)).Message);
        Assert.Equal(1, calls);
        Assert.Null(await cache.TryGetAsync(key, default));
        await EventuallyAsync(() => cache is { Flights: 0, Memory.Pool.LentBlocks: 0 });
        Assert.Equal(1, cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Origin).Errors);
        await using var lease = await cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Maker(key), default);
        Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
    }

    [Fact]
    public async Task CopyToAsync_RelayedValue_FollowsTheMaker()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var (first, rest) = (new TaskCompletionSource(), new TaskCompletionSource());
        const int Length = 300_000;
        var pending = cache.GetOrCreateAsync(key, Length, EntryPolicy.Relayed, async (n, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b") { Length = n });
            writer.Write(Bytes(key, n).AsSpan(0, 100_000));
            await writer.FlushAsync(token);
            await rest.Task;
            writer.Write(Bytes(key, n).AsSpan(100_000));
        }, default);
        await using var lease = await pending;
        Assert.False(lease.TryGetBytes(out _));
        Assert.Equal(100_000, lease.AvailableBytes);
        Assert.Equal(Length, lease.Header.Length);
        var early = await ReadAllAsync(lease, 10, 50_000);
        Assert.Equal(Bytes(key, Length)[10..50_010], early);
        await using var joined = await cache.GetOrCreateAsync(key, Length, EntryPolicy.Relayed, NeverCalled, default);
        var (all, alsoAll) = (ReadAllAsync(lease), ReadAllAsync(joined));
        await Task.Delay(20);
        Assert.False(all.IsCompleted);
        rest.SetResult();
        Assert.Equal(Bytes(key, Length), await all.WaitAsync(Patience));
        Assert.Equal(Bytes(key, Length), await alsoAll.WaitAsync(Patience));
        await lease.WaitUntilCompleteAsync(default);
        Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
        first.SetResult();
    }

    [Fact]
    public async Task GetOrCreateAsync_DerivedValueFlushed_IsNotShownBeforeItIsComplete()
    {
        await using var cache = NewCache();
        var (key, gate) = (Key(1), new TaskCompletionSource());
        var pending = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, async (n, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b"));
            writer.Write(Bytes(key, n));
            await writer.FlushAsync(token);
            await gate.Task;
        }, default).AsTask();
        await Task.Delay(30);
        Assert.False(pending.IsCompleted);
        gate.SetResult();
        await using var lease = await pending;
        Assert.True(lease.TryGetBytes(out _));
    }

    [Fact]
    public async Task CopyToAsync_RelayFailsUnderway_ThrowsAndTheNextCallerGetsItWhole()
    {
        await using var cache = NewCache();
        var (key, gate) = (Key(1), new TaskCompletionSource());
        await using var lease = await cache.GetOrCreateAsync(key, 0, EntryPolicy.Relayed, async (_, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b"));
            writer.Write(new byte[10_000]);
            await writer.FlushAsync(token);
            await gate.Task;
            throw new IOException("cut");
        }, default);
        var reading = ReadAllAsync(lease);
        gate.SetResult();
        await Assert.ThrowsAsync<IOException>(() => reading);
        await Assert.ThrowsAsync<IOException>(async () => await lease.WaitUntilCompleteAsync(default));
        await using var whole = await cache.GetOrCreateAsync(key, 100, EntryPolicy.Relayed, Maker(key), default);
        Assert.Equal(Bytes(key, 100), await ReadAllAsync(whole));
    }

    [Fact]
    public async Task DisposeAsync_LastReaderOfARelayLeaves_StopsTheMaker()
    {
        await using var cache = NewCache();
        var (key, stopped) = (Key(1), new TaskCompletionSource());
        var lease = await cache.GetOrCreateAsync(key, 0, EntryPolicy.Relayed, async (_, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b"));
            writer.Write(new byte[10]);
            await writer.FlushAsync(token);
            token.Register(stopped.SetResult);
            await Task.Delay(Timeout.Infinite, token);
        }, default);
        await lease.DisposeAsync();
        await stopped.Task.WaitAsync(Patience);
        await EventuallyAsync(() => cache is { Flights: 0, Memory.Pool.LentBlocks: 0 });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CopyToAsync_RelayLargerThanMemoryKeeps_StreamsThroughASmallWindow(bool declareLength)
    {
        await using var cache = NewCache(capacityBytes: 4 << 20);
        var key = Key(1);
        const int Length = 6 << 20;
        long most = 0;
        var policy = EntryPolicy.Relayed with { MaxMemoryBytes = 1 << 20 };
        await using var lease = await cache.GetOrCreateAsync(key, Length, policy, Relay, default);
        var bytes = await ReadAllAsync(lease).WaitAsync(Patience);
        Assert.Equal(Length, bytes.Length);
        Assert.True(Matches(key, new ReadOnlySequence<byte>(bytes)));
        Assert.InRange(most, 1, 2 << 20);
        Assert.False(lease.TryGetBytes(out _));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await ReadAllAsync(lease));
        Assert.Null(await cache.TryGetAsync(key, default));

        async Task Relay(int n, EntryWriter writer, CancellationToken token)
        {
            writer.Start(new EntryHeader("a/b") { Length = declareLength ? n : null });
            for (var at = 0; at < n; at += 32 << 10)
            {
                Fill(key, at, writer.GetSpan(32 << 10)[..(32 << 10)]);
                writer.Advance(32 << 10);
                await writer.FlushAsync(token);
                most = Math.Max(most, cache.Memory.Pool.UsedBytes + cache.Memory.Pool.OverflowBytes);
            }
        }
    }

    [Fact]
    public async Task CopyToAsync_WindowedRelayReadFromTheMiddle_DoesNotWaitForTheBytesLeftOut()
    {
        await using var cache = NewCache();
        var key = Key(1);
        const int Length = 2 << 20;
        await using var lease = await cache.GetOrCreateAsync(key, Length, EntryPolicy.Relayed with { MaxMemoryBytes = 1 << 20 }, async (n, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b") { Length = n });
            for (var at = 0; at < n; at += 32 << 10)
            {
                Fill(key, at, writer.GetSpan(32 << 10)[..(32 << 10)]);
                writer.Advance(32 << 10);
                await writer.FlushAsync(token);
            }
        }, default);
        await Task.Delay(50);                     // the maker is at the end of its window and waits
        Assert.Equal(Bytes(key, Length)[1_500_000..], await ReadAllAsync(lease, 1_500_000).WaitAsync(Patience));
    }

    [Fact]
    public async Task CopyToAsync_AllMemoryLent_RelaysStreamThrough()
    {
        await using var cache = NewCache(capacityBytes: 2 << 20, overflowBytes: 0);
        var held = new List<CacheLease>();
        for (var i = 0; i < 7; i++) held.Add(await cache.GetOrCreateAsync(Key(i), 256 << 10, EntryPolicy.Relayed, Maker(Key(i)), default));
        var key = Key(100);
        await using var lease = await cache.GetOrCreateAsync(key, 1 << 20, EntryPolicy.Relayed, async (n, writer, token) =>
        {
            writer.Start(new EntryHeader("a/b") { Length = n });
            for (var at = 0; at < n; at += 16 << 10)
            {
                Fill(key, at, writer.GetSpan(16 << 10)[..(16 << 10)]);
                writer.Advance(16 << 10);
                await writer.FlushAsync(token);
            }
        }, default);
        var bytes = await ReadAllAsync(lease).WaitAsync(Patience);
        Assert.True(bytes.Length == 1 << 20 && Matches(key, new ReadOnlySequence<byte>(bytes)));
        foreach (var (i, other) in held.Index())
        {
            Assert.True(other.TryGetBytes(out var otherBytes) && Matches(Key(i), otherBytes));
            await other.DisposeAsync();
        }
    }

    [Fact]
    public async Task InvalidateAsync_WhileMaking_ServesThoseBeforeAndKeepsNothing()
    {
        await using var cache = NewCache();
        var (key, tag, gate) = (Key(1), CacheTag.Of("series", "1"), new TaskCompletionSource());
        var before = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, async (n, writer, token) =>
        {
            await gate.Task;
            await Maker(key, true, tag)(n, writer, token);
        }, default).AsTask();
        await cache.InvalidateAsync(tag, default);

        // Who comes after the invalidation does not get what began before it, though nobody knew the tags yet.
        await using (var after = await cache.GetOrCreateAsync(key, 200, EntryPolicy.Derived, Maker(key, true, tag), default))
            Assert.Equal(200, after.Header.Length);
        await cache.RemoveAsync(key, default);
        gate.SetResult();
        await using (var lease = await before.WaitAsync(Patience)) Assert.Equal(100, lease.Header.Length);
        Assert.Null(await cache.TryGetAsync(key, default));
    }

    [Fact]
    public async Task InvalidateAsync_OtherTagWhileMaking_LetsItBeKept()
    {
        await using var cache = NewCache();
        var (key, gate) = (Key(1), new TaskCompletionSource());
        var making = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Gated(key, gate.Task, CacheTag.Of("series", "1")), default).AsTask();
        await cache.InvalidateAsync(CacheTag.Of("series", "2"), default);
        gate.SetResult();
        await (await making).DisposeAsync();
        Assert.NotNull(await cache.TryGetAsync(key, default));
    }

    [Fact]
    public async Task RemoveAsync_WhileMaking_KeepsNothing()
    {
        await using var cache = NewCache();
        var (key, gate) = (Key(1), new TaskCompletionSource());
        var making = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Gated(key, gate.Task), default).AsTask();
        await cache.RemoveAsync(key, default);
        gate.SetResult();
        await (await making).DisposeAsync();
        Assert.Null(await cache.TryGetAsync(key, default));
    }

    [Fact]
    public async Task InvalidateAsync_MoreTagsThanAreRemembered_StillKeepsNothingOld()
    {
        await using var cache = NewCache();
        var (key, tag, gate) = (Key(1), CacheTag.Of("series", "1"), new TaskCompletionSource());
        var making = cache.GetOrCreateAsync(key, 100, EntryPolicy.Derived, Gated(key, gate.Task, tag), default).AsTask();
        await cache.InvalidateAsync(tag, default);
        for (var i = 0; i < 5000; i++) await cache.InvalidateAsync(CacheTag.Of("series", $"other-{i}"), default);
        gate.SetResult();
        await (await making).DisposeAsync();
        Assert.Null(await cache.TryGetAsync(key, default));
    }

    private static Func<int, EntryWriter, CancellationToken, Task> Gated(CacheKey key, Task gate, params CacheTag[] tags) => async (n, writer, token) =>
    {
        await gate;
        await Maker(key, true, tags)(n, writer, token);
    };

    internal static async Task EventuallyAsync(Func<bool> condition)
    {
        for (var waited = 0; waited < 2000; waited++)
        {
            if (condition()) return;
            await Task.Delay(10);
        }

        Assert.Fail("It did not come about in 20 s.");
    }
}
