using System.Security.Cryptography;
using static Platform.TieredCache.Tests.DiskFixture;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

public class DiskTierTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(124_000)]
    [InlineData(524_288)]
    [InlineData(3_000_000)]
    public async Task GetOrCreateAsync_AfterARestart_ComesFromDiskAndThenFromMemory(int length)
    {
        await using var disk = new DiskFixture();
        var tag = CacheTag.Of("series", "1");
        var key = Key(1);
        EntryHeader made;
        await using (var cache = disk.NewCache())
        {
            await using var lease = await cache.GetOrCreateAsync(key, length, Derived, (n, writer, _) =>
            {
                writer.Start(new EntryHeader("image/x; transfer-syntax=1.2") { ContentCoding = "br", Length = n, PixelDigest = Digest256.HashData([1]), Tags = [tag], Extra = new byte[] { 1, 2, 3 } });
                System.Buffers.BuffersExtensions.Write(writer, Bytes(key, n));
                return Task.CompletedTask;
            }, default);
            made = lease.Header;
        }

        await using var again = disk.NewCache();
        await using (var lease = await again.GetOrCreateAsync(key, length, Derived, NeverCalled, default))
        {
            Assert.Equal((CacheTier.Disk, CacheResult.Hit), (lease.Outcome.Tier, lease.Outcome.Result));
            Assert.Equal(Bytes(key, length), await ReadAllAsync(lease));
            Assert.Equal(made with { Tags = [], Extra = default }, lease.Header with { Tags = [], Extra = default });
            Assert.Equal(tag, Assert.Single(lease.Header.Tags));
            Assert.Equal([1, 2, 3], lease.Header.Extra.ToArray());
            Assert.Equal(Digest256.HashData(Bytes(key, length)), lease.Header.BodyDigest);
        }

        await AssertHitAsync(again, key, length, CacheTier.Memory);
        Assert.Equal((1, length), (Disk(again).Hits, Disk(again).HitBytes));
    }

    [Fact]
    public async Task Files_OfTheFolder_AreTheirOwnersOnly()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await MakeAsync(cache, Key(1), 1000);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in disk.Files()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            foreach (var folder in Directory.GetDirectories(disk.Path, "*", SearchOption.AllDirectories))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }

        Assert.Single(disk.Files());
        Assert.Empty(disk.In("tmp"));
    }

    [Fact]
    public async Task GetOrCreateAsync_PolicyWithoutDisk_LeavesNothing()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await MakeAsync(cache, Key(1), 1000, EntryPolicy.Derived);
        Assert.Empty(disk.Files());
    }

    [Fact]
    public async Task TryGetAsync_OnDisk_GivesItWithoutAMaker()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await MakeAsync(cache, Key(1), 1000);
        await using var again = disk.NewCache();
        await using (var lease = await again.TryGetAsync(Key(1), default))
        {
            Assert.Equal(CacheTier.Disk, lease!.Value.Outcome.Tier);
            Assert.Equal(Bytes(Key(1), 1000), await ReadAllAsync(lease.Value));
        }

        await AssertHitAsync(again, Key(1), 1000, CacheTier.Memory);
        Assert.Null(await again.TryGetAsync(Key(2), default));
        Assert.Equal(0, again.Flights);
    }

    [Fact]
    public async Task RemoveAsync_OnDisk_IsGoneAlsoAfterARestart()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache())
        {
            await MakeAsync(cache, Key(1), 1000);
            await cache.RemoveAsync(Key(1), default);
            Assert.Empty(disk.Files());
        }

        await AssertMadeAgainAsync(disk.NewCache(), Key(1), 1000);
    }

    [Fact]
    public async Task InvalidateAsync_Tag_ReachesWhatLiesOnDiskAlsoAfterARestart()
    {
        await using var disk = new DiskFixture();
        var (red, blue) = (CacheTag.Of("series", "red"), CacheTag.Of("series", "blue"));
        await using (var cache = disk.NewCache())
        {
            await MakeAsync(cache, Key(1), 1000, null, red);
            await MakeAsync(cache, Key(2), 1000, null, blue, red);
            await MakeAsync(cache, Key(3), 1000, null, blue);
        }

        await using (var cache = disk.NewCache()) await cache.InvalidateAsync(red, default);
        await using var again = disk.NewCache();
        await AssertHitAsync(again, Key(3), 1000, CacheTier.Disk);
        await AssertMadeAgainAsync(again, Key(1), 1000);
        await AssertMadeAgainAsync(again, Key(2), 1000);
        await again.FlushAsync(default);
        await again.DisposeAsync();
        await AssertHitAsync(disk.NewCache(), Key(1), 1000, CacheTier.Disk);          // what was made after it holds
    }

    [Fact]
    public async Task InvalidateAsync_WhileAMakerWorks_ItsValueIsNotOnDiskLater()
    {
        await using var disk = new DiskFixture();
        var tag = CacheTag.Of("series", "1");
        await using (var cache = disk.NewCache())
        {
            await using var lease = await cache.GetOrCreateAsync(Key(1), 100, Derived, async (n, writer, token) =>
            {
                await cache.InvalidateAsync(tag, token);
                await Maker(Key(1), true, tag)(n, writer, token);
            }, default);
            await cache.FlushAsync(default);
        }

        await AssertMadeAgainAsync(disk.NewCache(), Key(1), 100);
    }

    [Fact]
    public async Task InvalidateAsync_InTheOtherProcess_EmptiesMemoryToo()
    {
        await using var disk = new DiskFixture();
        var tag = CacheTag.Of("series", "1");
        var (first, second) = (disk.NewCache(), disk.NewCache());
        await MakeAsync(first, Key(1), 1000, null, tag);
        await MakeAsync(first, Key(2), 1000);
        await AssertHitAsync(second, Key(1), 1000, CacheTier.Disk);
        await AssertHitAsync(second, Key(2), 1000, CacheTier.Disk);
        await first.InvalidateAsync(tag, default);
        await SingleFlightTests.EventuallyAsync(() => second.Memory.Count == 1);
        await AssertMadeAgainAsync(second, Key(1), 1000);
        await AssertHitAsync(second, Key(2), 1000, CacheTier.Memory);
    }

    [Fact]
    public async Task TwoProcesses_OneFolder_SeeEachOthersValuesAndOneHolds()
    {
        await using var disk = new DiskFixture();
        var (first, second) = (disk.NewCache(), disk.NewCache());
        await MakeAsync(first, Key(1), 1000);
        await MakeAsync(second, Key(2), 1000);
        await AssertHitAsync(second, Key(1), 1000, CacheTier.Disk);
        await AssertHitAsync(first, Key(2), 1000, CacheTier.Disk);
        await SingleFlightTests.EventuallyAsync(() => first.DiskTier!.Folder.IsHolder != second.DiskTier!.Folder.IsHolder);
        var (holder, other) = first.DiskTier!.Folder.IsHolder ? (first, second) : (second, first);
        await holder.DisposeAsync();
        await other.DiskTier!.MaintainAsync(default);
        Assert.True(other.DiskTier.Folder.IsHolder);
    }

    [Fact]
    public async Task GetOrCreateAsync_PastItsTime_IsMadeAgain()
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        Action<TieredCacheOptions> short1 = options =>
        {
            options.Disk.Ttl = TimeSpan.FromHours(1);
            options.Kinds[EntryKind.Tile] = new KindPolicy { Ttl = TimeSpan.FromHours(3) };
        };
        var own = Derived with { Ttl = TimeSpan.FromHours(5) };
        await using (var cache = disk.NewCache(short1, time))
        {
            await MakeAsync(cache, Key(1), 1000);
            await MakeAsync(cache, Key(2, EntryKind.Tile), 1000);
            await MakeAsync(cache, Key(3), 1000, own);
        }

        time.Advance(TimeSpan.FromHours(2));
        await using (var cache = disk.NewCache(short1, time))
        {
            await AssertMadeAgainAsync(cache, Key(1), 1000);
            await AssertHitAsync(cache, Key(2, EntryKind.Tile), 1000, CacheTier.Disk);
            await AssertHitAsync(cache, Key(3), 1000, CacheTier.Disk, own);
            Assert.Equal(1, cache.GetStatistics().Tiers.Where(t => t.Tier == CacheTier.Disk).Sum(t => t.Expirations));
        }

        time.Advance(TimeSpan.FromHours(4));
        await using (var cache = disk.NewCache(short1, time))
        {
            await cache.DiskTier!.MaintainAsync(default);
            Assert.Empty(disk.Files());         // also what nobody asks for leaves
            Assert.Equal(3, cache.GetStatistics().Tiers.Where(t => t.Tier == CacheTier.Disk).Sum(t => t.Expirations));
        }
    }

    [Theory]
    [InlineData(-400)]
    [InlineData(400)]
    public async Task GetOrCreateAsync_ClockJumps_NeverFails(int days)
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        await using (var cache = disk.NewCache(time: time)) await MakeAsync(cache, Key(1), 1000);
        time.Advance(TimeSpan.FromDays(days));
        await using (var cache = disk.NewCache(time: time))
        {
            await cache.DiskTier!.MaintainAsync(default);
            await AssertMadeAgainAsync(cache, Key(1), 1000);          // long past its time, or made in a future that is not believed
            await cache.FlushAsync(default);
            await cache.InvalidateAsync(CacheTag.Of("a", "b"), default);
        }

        await AssertHitAsync(disk.NewCache(time: time), Key(1), 1000, CacheTier.Disk);
    }

    [Fact]
    public async Task Bounds_InItems_TheLeastRecentlyUsedLeaveAlsoAfterARestart()
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        await using (var cache = disk.NewCache(time: time))
        {
            for (var i = 0; i < 10; i++)
            {
                await MakeAsync(cache, Key(i), 1000);
                time.Advance(TimeSpan.FromSeconds(10));
            }
        }

        await using (var cache = disk.NewCache(time: time))
        {
            await AssertHitAsync(cache, Key(0), 1000, CacheTier.Disk);        // used now: of the ten the youngest
            time.Advance(TimeSpan.FromSeconds(10));
        }

        await using (var cache = disk.NewCache(options => options.Disk.CapacityItems = 5, time))
        {
            await cache.DiskTier!.MaintainAsync(default);
            Assert.Equal(5, disk.Files().Length);
            foreach (var kept in (int[])[0, 6, 7, 8, 9]) await AssertHitAsync(cache, Key(kept), 1000, CacheTier.Disk);
            Assert.Equal(5, Disk(cache).Evictions);
            await MakeAsync(cache, Key(20), 1000);
            Assert.Equal(5, disk.Files().Length);
            Assert.Null(await cache.TryGetAsync(Key(1), default));
        }
    }

    [Fact]
    public async Task Bounds_InBytes_AreKeptWhileItIsUsed()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache(options => options.Disk.CapacityBytes = 2 << 20);
        await cache.DiskTier!.MaintainAsync(default);
        for (var i = 0; i < 30; i++)
        {
            await MakeAsync(cache, Key(i), 200_000);
            Assert.InRange(disk.Files().Sum(file => new FileInfo(file).Length), 0, 2 << 20);
        }

        Assert.Equal(disk.Files().Sum(file => new FileInfo(file).Length), cache.GetStatistics().DiskBytes);
        Assert.Equal(disk.Files().Length, Disk(cache).Entries);
        await MakeAsync(cache, Key(100), 3 << 20);
        await AssertHitAsync(cache, Key(29), 200_000, CacheTier.Memory);
        Assert.InRange(disk.Files().Length, 9, 10);                      // what can never fit displaces nothing
    }

    [Fact]
    public async Task Bounds_FreeSpaceFloorAboveWhatThereIs_NothingIsWrittenAndAllIsServed()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache(options => options.Disk.MinFreeBytes = 1L << 50);
        await MakeAsync(cache, Key(1), 1000);
        await AssertHitAsync(cache, Key(1), 1000, CacheTier.Memory);
        await using (var lease = await cache.GetOrCreateAsync(Key(2), 20 << 20, Relayed, Streaming(Key(2)), default))
            Assert.Equal(SHA256.HashData(Bytes(Key(2), 20 << 20)), SHA256.HashData(await ReadAllAsync(lease)));
        Assert.Empty(disk.Files());
    }

    [Fact]
    public async Task CompressAtRest_WhatCompressesAndWhatDoesNot_ComesBackAsItWas()
    {
        await using var disk = new DiskFixture();
        var policy = Derived with { CompressAtRest = true };
        var text = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"vr\":\"UI\",\"Value\":[{i}]}}")));
        await using (var cache = disk.NewCache())
        {
            await MakeAsync(cache, Key(1), 100_000, policy);
            await (await cache.GetOrCreateAsync(Key(2), text, policy, static (bytes, writer, _) =>
            {
                writer.Start(new EntryHeader("application/json"));
                System.Buffers.BuffersExtensions.Write(writer, bytes);
                return Task.CompletedTask;
            }, default)).DisposeAsync();
        }

        Assert.Equal(2, disk.Files().Length);
        Assert.InRange(disk.Files().Min(file => new FileInfo(file).Length), 1, text.Length / 4);
        await using var again = disk.NewCache();
        await AssertHitAsync(again, Key(1), 100_000, CacheTier.Disk, policy);
        await using var lease = await again.GetOrCreateAsync(Key(2), 0, policy, NeverCalled, default);
        Assert.Equal(CacheTier.Disk, lease.Outcome.Tier);
        Assert.Equal(text, await ReadAllAsync(lease));
        Assert.Equal(Digest256.HashData(text), lease.Header.BodyDigest);
    }

    [Fact]
    public async Task Orphans_OfAWriterThatDied_LeaveAtTheNextStart()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await MakeAsync(cache, Key(1), 1000);
        var (old, young) = (Path.Combine(disk.Path, "tmp", "old"), Path.Combine(disk.Path, "tmp", "young"));
        File.WriteAllText(old, "half a value");
        File.WriteAllText(young, "half a value");
        File.SetLastWriteTimeUtc(old, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await using var again = disk.NewCache();
        await again.DiskTier!.MaintainAsync(default);
        Assert.Equal([young], disk.In("tmp"));
    }
}
