namespace Platform.TieredCache.Tests;

public class RecordStoreTests
{
    private static readonly Digest256 Key = Digest256.HashData("record"u8);
    private static readonly CacheTag Tag = CacheTag.Of("origin", "a");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryReplaceAsync_EveryVersion_OnlyTheExpectedOneIsReplaced(bool onDisk)
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache(options => options.Disk.Path = onDisk ? disk.Path : null);
        var records = cache.Records;
        Assert.Null(await records.ReadAsync(Key, default));
        Assert.False(await records.TryRemoveAsync(Key, 0, default));
        Assert.False(await records.TryReplaceAsync(Key, 5, Record(1), default));
        Assert.True(await records.TryReplaceAsync(Key, 0, Record(1), default));
        Assert.False(await records.TryReplaceAsync(Key, 0, Record(2), default));
        var first = (await records.ReadAsync(Key, default))!;
        Assert.Equal([1], first.Value.ToArray());
        Assert.True(first.Version > 0);
        Assert.True(await records.TryReplaceAsync(Key, first.Version, Record(2), default));
        Assert.False(await records.TryReplaceAsync(Key, first.Version, Record(3), default));
        var second = (await records.ReadAsync(Key, default))!;
        Assert.Equal([2], second.Value.ToArray());
        Assert.True(second.Version > first.Version);
        Assert.False(await records.TryRemoveAsync(Key, first.Version, default));
        Assert.True(await records.TryRemoveAsync(Key, second.Version, default));
        Assert.Null(await records.ReadAsync(Key, default));
        Assert.True(await records.TryReplaceAsync(Key, 0, Record(4), default));
        Assert.True((await records.ReadAsync(Key, default))!.Version > second.Version);      // never a version that it had
    }

    [Fact]
    public async Task ReadAsync_AfterARestart_GivesAllOfIt()
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        var record = new CacheRecord { Value = Enumerable.Range(0, CacheRecord.MaxValueBytes).Select(i => (byte)i).ToArray(), Tags = [Tag, CacheTag.Of("x", "y")], ExpiresAt = time.GetUtcNow().AddHours(1) };
        long version;
        await using (var cache = disk.NewCache(time: time))
        {
            Assert.True(await cache.Records.TryReplaceAsync(Key, 0, record, default));
            version = (await cache.Records.ReadAsync(Key, default))!.Version;
        }

        await using (var cache = disk.NewCache(time: time))
        {
            var read = (await cache.Records.ReadAsync(Key, default))!;
            Assert.Equal(record.Value.ToArray(), read.Value.ToArray());
            Assert.Equal((version, record.ExpiresAt), (read.Version, read.ExpiresAt));
            Assert.Equal(record.Tags.ToArray(), read.Tags.ToArray());
            time.Advance(TimeSpan.FromHours(1));
            Assert.Null(await cache.Records.ReadAsync(Key, default));
            Assert.True(await cache.Records.TryReplaceAsync(Key, 0, Record(1), default));
        }
    }

    [Fact]
    public async Task TryReplaceAsync_TooLarge_Throws()
    {
        await using var cache = TestValues.NewCache();
        await Assert.ThrowsAsync<ArgumentException>(async () => await cache.Records.TryReplaceAsync(Key, 0, new CacheRecord { Value = new byte[CacheRecord.MaxValueBytes + 1] }, default));
    }

    [Fact]
    public async Task Invalidate_ThroughTheCacheOrTheStore_ForgetsTheTaggedOnDiskAndInTheOtherProcess()
    {
        await using var disk = new DiskFixture();
        var (first, second) = (disk.NewCache(), disk.NewCache());
        var other = Digest256.HashData("other"u8);
        await first.Records.TryReplaceAsync(other, 0, Record(9), default);
        await MakeValueAsync();
        foreach (var throughCache in (bool[])[true, false])
        {
            Assert.True(await first.Records.TryReplaceAsync(Key, 0, Record(1, Tag), default));
            Assert.NotNull(await second.Records.ReadAsync(Key, default));
            if (throughCache) await first.InvalidateAsync(Tag, default);
            else await first.Records.InvalidateAsync(Tag, default);
            Assert.Null(await second.Records.ReadAsync(Key, default));
            Assert.Null(await first.Records.ReadAsync(Key, default));
            Assert.NotNull(await second.Records.ReadAsync(other, default));
            if (throughCache) await MakeValueAsync();
        }

        // The store's own invalidation leaves values alone.
        await using var again = disk.NewCache();
        Assert.Null(await again.Records.ReadAsync(Key, default));
        await DiskFixture.AssertHitAsync(again, TestValues.Key(1), 100, CacheTier.Disk);

        Task MakeValueAsync() => DiskFixture.MakeAsync(first, TestValues.Key(1), 100, null, Tag);
    }

    [Fact]
    public async Task TryReplaceAsync_TwoProcessesCount_NoStepIsLost()
    {
        await using var disk = new DiskFixture();
        var (first, second) = (disk.NewCache(), disk.NewCache());
        const int Each = 60;
        await Task.WhenAll(Count(first), Count(first), Count(second), Count(second));
        Assert.Equal(4 * Each, BitConverter.ToInt32((await disk.NewCache().Records.ReadAsync(Key, default))!.Value.Span));

        Task Count(TieredCache cache) => Task.Run(async () =>
        {
            for (var done = 0; done < Each;)
            {
                var record = await cache.Records.ReadAsync(Key, default);
                var count = record is null ? 0 : BitConverter.ToInt32(record.Value.Span);
                if (await cache.Records.TryReplaceAsync(Key, record?.Version ?? 0, new CacheRecord { Value = BitConverter.GetBytes(count + 1) }, default)) done++;
            }
        });
    }

    [Fact]
    public async Task ReadAsync_DamagedRecord_IsAbsent()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await cache.Records.TryReplaceAsync(Key, 0, Record(1, Tag), default);
        var path = disk.In("records-1").Single(file => !Path.GetFileName(file).StartsWith("lock", StringComparison.Ordinal));
        var good = await File.ReadAllBytesAsync(path);
        for (var i = 0; i < good.Length; i++)
        {
            var bad = (byte[])good.Clone();
            bad[i] ^= 4;
            await File.WriteAllBytesAsync(path, bad);
            await using var cache = i % 10 == 0 ? disk.NewCache(options => options.Memory.CapacityBytes = 2 << 20) : null;
            if (cache is not null) Assert.Null(await cache.Records.ReadAsync(Key, default));
            Assert.Null(RecordFile.TryRead(bad, Key, out _));
            Assert.Null(RecordFile.TryRead(good.AsSpan(0, i), Key, out _));
        }
    }

    [Fact]
    public async Task Bounds_MoreThanFits_TheOldestLeave()
    {
        await using var disk = new DiskFixture();
        var time = new ManualTime();
        await using var cache = disk.NewCache(options => (options.Records.MemoryBytes, options.Records.CapacityItems) = (64 << 10, 50), time);
        for (var i = 0; i < 200; i++)
        {
            await cache.Records.TryReplaceAsync(Digest256.HashData(BitConverter.GetBytes(i)), 0, new CacheRecord { Value = new byte[4000] }, default);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await cache.DiskTier!.MaintainAsync(default);
        for (var i = 0; i < 200; i++) Assert.Equal(i >= 150, await cache.Records.ReadAsync(Digest256.HashData(BitConverter.GetBytes(i)), default) is not null);
    }

    [Fact]
    public async Task Folder_CannotBeWritten_TheOldRecordIsNotBelievedAgain()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        await cache.Records.TryReplaceAsync(Key, 0, Record(1), default);
        var version = (await cache.Records.ReadAsync(Key, default))!.Version;
        Directory.Delete(Path.Combine(disk.Path, "tmp"));                       // now no record can be written
        Assert.True(await cache.Records.TryReplaceAsync(Key, version, Record(2), default));
        Assert.Equal([2], (await cache.Records.ReadAsync(Key, default))!.Value.ToArray());
        Directory.CreateDirectory(Path.Combine(disk.Path, "tmp"));
        var second = (await cache.Records.ReadAsync(Key, default))!;
        Assert.Equal([2], second.Value.ToArray());
        Assert.True(await cache.Records.TryReplaceAsync(Key, second.Version, Record(3), default));
        Assert.Equal([3], (await disk.NewCache().Records.ReadAsync(Key, default))!.Value.ToArray());
    }

    private static CacheRecord Record(byte value, params CacheTag[] tags) => new() { Value = new[] { value }, Tags = [.. tags] };
}
