using static Platform.TieredCache.Tests.DiskFixture;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

public class AdministrationTests
{
    [Theory]
    [InlineData(CacheTier.Memory)]
    [InlineData(CacheTier.Disk)]
    public async Task ListAsync_PageByPage_GivesEveryEntryOnceInOrder(CacheTier tier)
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        await using var cache = disk.NewCache(time: time);
        for (var i = 0; i < 25; i++)
        {
            await MakeAsync(cache, Key(i, i % 5 == 0 ? EntryKind.Tile : EntryKind.Frame), 1000 + i / 3 * 5000);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        foreach (var order in Enum.GetValues<CacheEntryOrder>())
        {
            var all = new List<CacheEntryInfo>();
            var query = new CacheEntryQuery { Tier = tier, Order = order, Limit = 7 };
            while (true)
            {
                var page = await cache.ListAsync(query, default);
                Assert.InRange(page.Entries.Count, 1, 7);
                all.AddRange(page.Entries);
                if (page.Next is null) break;
                query = query with { After = page.Next };
            }

            Assert.Equal(25, all.Count);
            Assert.Equal(25, all.Select(entry => entry.Id).Distinct().Count());
            Assert.All(all, entry => Assert.Equal((tier, "application/octet-stream", 64), (entry.Tier, entry.MediaType, entry.Id.Length)));
            var expected = order switch
            {
                CacheEntryOrder.Largest => all.OrderByDescending(entry => entry.Bytes).Select(entry => entry.Bytes),
                CacheEntryOrder.Hottest => all.OrderByDescending(entry => entry.Hits).Select(entry => entry.Hits),
                CacheEntryOrder.Newest => all.OrderByDescending(entry => entry.MadeAt).Select(entry => entry.MadeAt.UtcTicks),
                _ => all.OrderBy(entry => entry.MadeAt).Select(entry => entry.MadeAt.UtcTicks),
            };
            Assert.Equal(expected, all.Select(entry => order switch { CacheEntryOrder.Largest => entry.Bytes, CacheEntryOrder.Hottest => entry.Hits, _ => entry.MadeAt.UtcTicks }));
        }

        Assert.Equal(5, (await cache.ListAsync(new CacheEntryQuery { Tier = tier, Kind = EntryKind.Tile }, default)).Entries.Count);
        Assert.Empty((await cache.ListAsync(new CacheEntryQuery { Tier = CacheTier.Redis }, default)).Entries);
        await Assert.ThrowsAsync<ArgumentException>(async () => await cache.ListAsync(new CacheEntryQuery { Tier = tier, After = "1.x" }, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await cache.ListAsync(new CacheEntryQuery { Tier = tier, Limit = 501 }, default));
    }

    [Fact]
    public async Task ClearAsync_EveryScope_FreesWhatMeasureSaid()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var (red, blue) = (CacheTag.Of("series", "red"), CacheTag.Of("series", "blue"));
        foreach (var (scope, entries, memoryLeft, filesLeft) in ((CacheScope, int, int, int)[])
            [(CacheScope.Tier(CacheTier.Memory), 6, 0, 6), (CacheScope.Tier(CacheTier.Disk), 6, 6, 0), (CacheScope.Tag(red), 4, 4, 4), (CacheScope.Kind(EntryKind.Tile), 6, 3, 3), (CacheScope.All, 12, 0, 0), (CacheScope.Tier(CacheTier.Redis), 0, 6, 6)])
        {
            await cache.ClearAsync(CacheScope.All, default);
            for (var i = 0; i < 6; i++) await MakeAsync(cache, Key(i, i % 2 == 0 ? EntryKind.Tile : EntryKind.Frame), 10_000, null, i < 2 ? red : blue);
            var bytes = disk.Files().Sum(file => new FileInfo(file).Length);
            var measured = await cache.MeasureAsync(scope, default);
            Assert.Equal(6, disk.Files().Length);
            var report = await cache.ClearAsync(scope, default);
            Assert.Equal(measured.Tiers.ToArray(), report.Tiers.ToArray());
            Assert.Equal(entries, report.Entries);
            Assert.Equal((memoryLeft, filesLeft), (cache.Memory.Count, disk.Files().Length));
            Assert.Equal(bytes - disk.Files().Sum(file => new FileInfo(file).Length), report.Tiers.Where(tier => tier.Tier == CacheTier.Disk).Sum(tier => tier.Bytes));
        }
    }

    [Fact]
    public async Task ClearAsync_WhileAMakerWorks_ItsValueIsNotKept()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        foreach (var scope in (CacheScope[])[CacheScope.All, CacheScope.Kind(EntryKind.Frame)])
        {
            await (await cache.GetOrCreateAsync(Key(1), 100, Derived, async (n, writer, token) =>
            {
                await cache.ClearAsync(scope, token);
                await Maker(Key(1))(n, writer, token);
            }, default)).DisposeAsync();
            await cache.FlushAsync(default);
            Assert.Null(await cache.TryGetAsync(Key(1), default));
        }
    }

    [Fact]
    public async Task ApplyAsync_SmallerBounds_HoldAtOnce()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        await cache.DiskTier!.MaintainAsync(default);
        for (var i = 0; i < 20; i++) await MakeAsync(cache, Key(i), 200_000);
        var bounds = cache.Bounds;
        Assert.Equal((8 << 20, 10L << 30, 100_000), (bounds.MemoryBytes, bounds.DiskBytes, bounds.DiskItems));
        await cache.ApplyAsync(bounds with { MemoryBytes = 2 << 20, DiskBytes = 1 << 20, DiskItems = 4 }, default);
        Assert.InRange(cache.GetStatistics().MemoryBytes, 0, 2 << 20);
        Assert.Equal(4, disk.Files().Length);
        for (var i = 0; i < 20; i++) await MakeAsync(cache, Key(100 + i), 200_000);
        Assert.InRange(cache.GetStatistics().MemoryBytes, 0, 2 << 20);
        Assert.Equal((2 << 20, 1 << 20), (cache.GetStatistics().MemoryCapacityBytes, cache.GetStatistics().DiskCapacityBytes));
        Assert.Equal(4, disk.Files().Length);
        await cache.ApplyAsync(cache.Bounds with { DiskTtl = TimeSpan.FromTicks(1) }, default);
        Assert.Empty(disk.Files());
        await cache.ApplyAsync(cache.Bounds with { Kinds = cache.Kinds.With(EntryKind.Frame, new KindPolicy { MaxMemoryBytes = 100 }) }, default);
        await MakeAsync(cache, Key(200), 1000);
        Assert.Null(await cache.TryGetAsync(Key(200), default));
    }

    [Fact]
    public async Task ApplyAsync_BoundsThatMakeNoSense_AreRefusedWhole()
    {
        await using var cache = TestValues.NewCache();
        var bounds = cache.Bounds;
        foreach (var wrong in (CacheBounds[])
            [bounds with { MemoryBytes = 0 }, bounds with { MemoryBytes = 9 << 20 }, bounds with { DiskBytes = 0 }, bounds with { DiskItems = 0 }, bounds with { DiskTtl = TimeSpan.Zero }, bounds with { DiskMinFreeBytes = -1 },
                bounds with { RedisTtl = -TimeSpan.FromHours(1) }, bounds with { Kinds = bounds.Kinds.With(EntryKind.File, new KindPolicy { Ttl = TimeSpan.Zero }) }])
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await cache.ApplyAsync(wrong, default));
        Assert.Equal(bounds, cache.Bounds);
    }

    [Fact]
    public async Task GetStatistics_PerTierAndKind_SaysWhatHappened()
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        await using (var cache = disk.NewCache(time: time))
        {
            await MakeAsync(cache, Key(1), 1000);
            time.Advance(TimeSpan.FromSeconds(100));
            await MakeAsync(cache, Key(2), 3000);
            time.Advance(TimeSpan.FromSeconds(100));
            var rows = cache.GetStatistics().Tiers;
            var origin = rows.Single(row => row.Tier == CacheTier.Origin);
            Assert.Equal((2, 4000), (origin.Downloads, origin.DownloadedBytes));
            Assert.All(rows.Where(row => row.Tier != CacheTier.Origin), row => Assert.InRange(row.MeanAgeSeconds, 149, 151));
        }

        await using var again = disk.NewCache(time: time);
        await AssertHitAsync(again, Key(1), 1000, CacheTier.Disk);
        await AssertMadeAgainAsync(again, Key(3), 1000);
        Assert.Equal((1, 1, 0.5), (Disk(again).Hits, Disk(again).Misses, Disk(again).HitRate));
    }
}
