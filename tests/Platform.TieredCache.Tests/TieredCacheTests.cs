using System.Buffers;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

public class TieredCacheTests
{
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(1000, false)]
    [InlineData(124_000, true)]
    [InlineData(124_000, false)]
    [InlineData(524_288, true)]
    [InlineData(524_288, false)]
    [InlineData(3_000_000, false)]
    public async Task GetOrCreateAsync_AnySize_GivesTheBytesThenAndLater(int length, bool declareLength)
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using (var made = await cache.GetOrCreateAsync(key, length, EntryPolicy.Derived, Maker(key, declareLength), default))
        {
            Assert.Equal((CacheTier.Origin, CacheResult.Miss), (made.Outcome.Tier, made.Outcome.Result));
            Assert.True(made.TryGetBytes(out var bytes));
            Assert.Equal(length, bytes.Length);
            Assert.True(Matches(key, bytes));
            Assert.Equal(length, made.Header.Length);
            Assert.Equal(Digest256.HashData(Bytes(key, length)), made.Header.BodyDigest);
        }

        await using var hit = await cache.GetOrCreateAsync(key, length, EntryPolicy.Derived, NeverCalled, default);
        Assert.Equal((CacheTier.Memory, CacheResult.Hit), (hit.Outcome.Tier, hit.Outcome.Result));
        Assert.True(hit.TryGetBytes(out var again));
        Assert.True(again.Length == length && Matches(key, again));
        Assert.Equal(Bytes(key, length), await ReadAllAsync(hit));
    }

    [Fact]
    public async Task GetOrCreateAsync_FrameOfKnownLength_IsOnePiece()
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, 512 << 10, EntryPolicy.Relayed, Maker(key), default);
        Assert.True(lease.TryGetBytes(out var bytes));
        Assert.True(bytes.IsSingleSegment);
        Assert.Equal(512 << 10, cache.Memory.Pool.UsedBytes);
    }

    [Theory]
    [InlineData(3_000)]
    [InlineData(100_000)]
    [InlineData(124_000)]
    [InlineData(300_000)]
    public async Task GetOrCreateAsync_UnknownLength_WastesLessThanAnEighth(int length)
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, length, EntryPolicy.Derived, async (int n, EntryWriter writer, CancellationToken _) =>
        {
            writer.Start(new EntryHeader("a/b"));
            for (var at = 0; at < n; at += 1000) Fill(key, at, Take(writer, Math.Min(1000, n - at)));
            await Task.Yield();
        }, default);
        Assert.True(lease.TryGetBytes(out var bytes));
        Assert.True(Matches(key, bytes));
        Assert.InRange(cache.Memory.Pool.UsedBytes, length, length * 9 / 8 + 1024);
        cache.Memory.Verify();

        static Span<byte> Take(EntryWriter writer, int size)
        {
            var span = writer.GetSpan(size)[..size];
            writer.Advance(size);
            return span;
        }
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(100, 50L)]
    [InlineData(65_535, 3L)]
    [InlineData(200_000, null)]
    [InlineData(0, 0L)]
    public async Task CopyToAsync_Range_GivesThatRange(int offset, long? count)
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, 200_000, EntryPolicy.Derived, Maker(key), default);
        Assert.Equal(Bytes(key, 200_000)[offset..(int)(count is { } c ? offset + c : 200_000)], await ReadAllAsync(lease, offset, count));
    }

    [Theory]
    [InlineData(-1L, null)]
    [InlineData(0L, 1001L)]
    [InlineData(1001L, null)]
    [InlineData(1L, long.MaxValue)]
    public async Task CopyToAsync_RangeOutside_Throws(long offset, long? count)
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, 1000, EntryPolicy.Derived, Maker(key), default);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await ReadAllAsync(lease, offset, count));
    }

    [Fact]
    public async Task DisposeAsync_TwiceAfterTheSlotServesAnother_LeavesTheOtherAlone()
    {
        await using var cache = NewCache();
        var (first, second) = (Key(1), Key(2));
        var old = await cache.GetOrCreateAsync(first, 1000, EntryPolicy.Derived, Maker(first), default);
        await old.DisposeAsync();
        var current = await cache.GetOrCreateAsync(second, 1000, EntryPolicy.Derived, Maker(second), default);
        await old.DisposeAsync();
        await old.DisposeAsync();
        await cache.RemoveAsync(second, default);                // now only the lease holds it
        Assert.True(current.TryGetBytes(out var bytes));
        Assert.True(Matches(second, bytes));
        await current.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => old.Header);
        Assert.Throws<ObjectDisposedException>(() => current.TryGetBytes(out _));
    }

    [Fact]
    public async Task TryGetBytes_UsedAfterRelease_ThrowsInsteadOfShowingOthersBytes()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var lease = await cache.GetOrCreateAsync(key, 1000, EntryPolicy.Derived, Maker(key), default);
        lease.TryGetBytes(out var bytes);
        await lease.DisposeAsync();
        Assert.True(Matches(key, bytes));                        // the cache still keeps it
        await cache.RemoveAsync(key, default);
        Assert.Throws<ObjectDisposedException>(() => bytes.FirstSpan.Length);
    }

    [Fact]
    public async Task RemoveAsync_WhileLent_LeavesTheLeaseItsBytes()
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, 50_000, EntryPolicy.Derived, Maker(key), default);
        await cache.RemoveAsync(key, default);
        for (var i = 2; i < 300; i++) await MakeAsync(cache, Key(i), 50_000);
        Assert.Equal(Bytes(key, 50_000), await ReadAllAsync(lease));
        Assert.Null(await cache.TryGetAsync(key, default));
    }

    [Fact]
    public async Task GetOrCreateAsync_MoreThanFits_StaysUnderTheBound()
    {
        await using var cache = NewCache(capacityBytes: 8 << 20);
        const int Count = 300;
        var random = new Random(5);
        for (var i = 0; i < Count; i++)
        {
            await MakeAsync(cache, Key(i), random.Next(3) == 0 ? random.Next(200, 4000) : random.Next(10_000, 600_000));
            Assert.InRange(cache.GetStatistics().MemoryBytes, 0, 8 << 20);
        }

        cache.Memory.Verify();
        var memory = cache.GetStatistics().Tiers.Single(t => t.Tier == CacheTier.Memory);
        Assert.Equal(Count - memory.Entries, memory.Evictions);
        Assert.InRange(memory.Bytes, 6 << 20, 8 << 20);           // and it is used, not wasted
    }

    [Fact]
    public async Task GetOrCreateAsync_LargerThanMemoryKeeps_IsLentOnceAndNotKept()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var policy = EntryPolicy.Derived with { MaxMemoryBytes = 10_000 };
        await using (var lease = await cache.GetOrCreateAsync(key, 10_001, policy, Maker(key), default))
            Assert.Equal(Bytes(key, 10_001), await ReadAllAsync(lease));
        Assert.Null(await cache.TryGetAsync(key, default));
        Assert.Equal(0, cache.Memory.Pool.UsedBytes);
    }

    [Fact]
    public async Task GetOrCreateAsync_MakerWritesOtherLengthThanPromised_FailsAndKeepsNothing()
    {
        await using var cache = NewCache();
        var key = Key(1);
        foreach (var wrong in (int[])[9, 11])
        {
            await Assert.ThrowsAsync<InvalidDataException>(async () => await cache.GetOrCreateAsync(key, wrong, EntryPolicy.Relayed, (n, writer, _) =>
            {
                writer.Start(new EntryHeader("a/b") { Length = 10 });
                writer.Write(new byte[n]);
                return Task.CompletedTask;
            }, default));
        }

        Assert.Null(await cache.TryGetAsync(key, default));
        Assert.Equal((0, 0), (cache.Memory.Pool.LentBlocks, cache.Flights));
    }

    [Fact]
    public async Task GetOrCreateAsync_MakerStartsNothing_Fails()
    {
        await using var cache = NewCache();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await cache.GetOrCreateAsync(Key(1), 0, EntryPolicy.Derived, static (_, _, _) => Task.CompletedTask, default));
        Assert.Equal(0, cache.Flights);
    }

    [Fact]
    public async Task GetOrCreateAsync_DerivedBeyondItsLimit_Fails()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var policy = EntryPolicy.Derived with { MaxDerivedBytes = 5000 };
        await Assert.ThrowsAsync<EntryTooLargeException>(async () => await cache.GetOrCreateAsync(key, 5001, policy, Maker(key), default));
        await Assert.ThrowsAsync<EntryTooLargeException>(async () => await cache.GetOrCreateAsync(key, 5001, policy, Maker(key, declareLength: false), default));
        Assert.Equal(0, cache.Memory.Pool.LentBlocks);
    }

    [Fact]
    public async Task GetOrCreateAsync_AllMemoryLent_DerivedFailsClearlyAndRecovers()
    {
        await using var cache = NewCache(capacityBytes: 2 << 20, overflowBytes: 1 << 20);
        var leases = new List<CacheLease>();
        await Assert.ThrowsAsync<CacheFullException>(async () =>
        {
            for (var i = 0; ; i++)
            {
                var key = Key(i);
                leases.Add(await cache.GetOrCreateAsync(key, 256 << 10, EntryPolicy.Derived, Maker(key), default));
            }
        });
        Assert.InRange(leases.Count, 8, 12);
        for (var i = 0; i < leases.Count; i++)
        {
            Assert.True(leases[i].TryGetBytes(out var bytes) && Matches(Key(i), bytes));
            await leases[i].DisposeAsync();
        }

        await MakeAsync(cache, Key(100), 256 << 10);
        Assert.Equal(0, cache.Memory.Pool.OverflowBytes);
        cache.Memory.Verify();
    }

    [Fact]
    public async Task GetMemory_AfterTheMakerReturned_Throws()
    {
        await using var cache = NewCache();
        var key = Key(1);
        EntryWriter? leaked = null;
        await using var lease = await cache.GetOrCreateAsync(key, 10, EntryPolicy.Derived, (n, writer, token) =>
        {
            leaked = writer;
            return Maker(key)(n, writer, token);
        }, default);
        Assert.Throws<InvalidOperationException>(() => leaked!.GetMemory());
        Assert.Throws<InvalidOperationException>(() => leaked!.Advance(0));
    }

    [Fact]
    public async Task KeepNothing_Maker_ServesTheCallerOnly()
    {
        await using var cache = NewCache();
        var key = Key(1);
        await using (var lease = await cache.GetOrCreateAsync(key, 10, EntryPolicy.Derived, (n, writer, token) =>
        {
            writer.KeepNothing();
            return Maker(key)(n, writer, token);
        }, default))
            Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
        Assert.Null(await cache.TryGetAsync(key, default));
    }

    [Fact]
    public async Task InvalidateAsync_Tag_ForgetsItsValuesOnly()
    {
        await using var cache = NewCache();
        var (red, blue) = (CacheTag.Of("series", "1"), CacheTag.Of("series", "2"));
        await MakeAsync(cache, Key(1), 100, red);
        await MakeAsync(cache, Key(2), 100, red, blue);
        await MakeAsync(cache, Key(3), 100, blue);
        await cache.InvalidateAsync(red, default);
        Assert.Null(await cache.TryGetAsync(Key(1), default));
        Assert.Null(await cache.TryGetAsync(Key(2), default));
        Assert.NotNull(await cache.TryGetAsync(Key(3), default));
    }

    [Fact]
    public async Task Outcome_Age_CountsFromTheMaking()
    {
        var time = new ManualTime();
        await using var cache = NewCache(time: time);
        await MakeAsync(cache, Key(1), 100);
        time.Advance(TimeSpan.FromMinutes(3));
        var lease = await cache.TryGetAsync(Key(1), default);
        Assert.Equal(TimeSpan.FromMinutes(3), lease!.Value.Outcome.Age);
        await lease.Value.DisposeAsync();
    }

    [Fact]
    public async Task GetStatistics_HitsAndMisses_AreCountedPerTierAndKind()
    {
        await using var cache = NewCache();
        await MakeAsync(cache, Key(1, EntryKind.Metadata), 1000);
        for (var i = 0; i < 3; i++) await MakeAsync(cache, Key(1, EntryKind.Metadata), 1000);
        await MakeAsync(cache, Key(1), 100);
        var statistics = cache.GetStatistics();
        var metadata = statistics.Tiers.Single(t => t is { Tier: CacheTier.Memory, Kind: EntryKind.Metadata });
        Assert.Equal((3, 3000, 1, 1, 0.75), (metadata.Hits, metadata.HitBytes, metadata.Misses, metadata.Entries, metadata.HitRate));
        Assert.Equal(1, statistics.Tiers.Single(t => t is { Tier: CacheTier.Origin, Kind: EntryKind.Frame }).Misses);
        Assert.Equal((3, 5, 0.6), (statistics.Hits, statistics.Requests, statistics.HitRate));
    }

    [Fact]
    public async Task DisposeAsync_LeaseStillHeld_KeepsItsBytesUntilItEnds()
    {
        var cache = NewCache();
        var key = Key(1);
        var lease = await cache.GetOrCreateAsync(key, 5000, EntryPolicy.Derived, Maker(key), default);
        await cache.DisposeAsync();
        Assert.True(lease.TryGetBytes(out var bytes) && Matches(key, bytes));
        await lease.DisposeAsync();
        await cache.DisposeAsync();
    }

    private static async Task MakeAsync(TieredCache cache, CacheKey key, int length, params CacheTag[] tags)
        => await (await cache.GetOrCreateAsync(key, length, EntryPolicy.Derived, Maker(key, true, tags), default)).DisposeAsync();
}
