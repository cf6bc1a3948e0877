using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>Counts managed memory, so nothing else runs beside it.</summary>
[CollectionDefinition(nameof(MemoryMeasurementTests), DisableParallelization = true)]
[Collection(nameof(MemoryMeasurementTests))]
public class MemoryMeasurementTests
{
    [Fact]
    public async Task GetOrCreateAsync_Hit_AllocatesNothing()
    {
        await using var cache = NewCache();
        var key = Key(1);
        var maker = Maker(key);
        for (var i = 0; i < 1000; i++) await TakeOnceAsync();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) await TakeOnceAsync();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        ValueTask TakeOnceAsync()
        {
            var task = cache.GetOrCreateAsync(key, 1000, EntryPolicy.Derived, maker, default);
            if (!task.IsCompletedSuccessfully) return WaitAsync(task);
            var lease = task.GetAwaiter().GetResult();
            lease.TryGetBytes(out var bytes);
            Assert.True(bytes.Length == 1000);
            return lease.DisposeAsync();
        }

        static async ValueTask WaitAsync(ValueTask<CacheLease> task) => await (await task).DisposeAsync();
    }

    [Theory]
    [InlineData(20_000)]       // they fit
    [InlineData(80_000)]       // most have gone, and some of those are remembered
    public async Task EntryOverheadBytes_ManySmallValues_IsWhatTheyTake(int count)
    {
        await using var cache = NewCache(capacityBytes: 64 << 20);
        await MakeAsync(cache, Key(-1), 100);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < count; i++) await MakeAsync(cache, Key(i), 100);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)cache.Memory.Count;
        Assert.InRange(cache.Memory.Count, 20_000, count + 1);
        Assert.InRange(each, MemoryTier.EntryOverheadBytes * 0.6, MemoryTier.EntryOverheadBytes);
    }

    private static async Task MakeAsync(TieredCache cache, CacheKey key, int length)
        => await (await cache.GetOrCreateAsync(key, length, EntryPolicy.Derived, Maker(key), default)).DisposeAsync();
}
