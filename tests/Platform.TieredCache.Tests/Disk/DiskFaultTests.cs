using System.Diagnostics;
using System.Security.Cryptography;
using static Platform.TieredCache.Tests.DiskFixture;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>A failing disk costs the tier, never a request. Real file systems in memory; those tests skip themselves where mounting is not permitted.</summary>
public class DiskFaultTests
{
    private static readonly EntryPolicy LargePolicy = Relayed with { MaxMemoryBytes = 1 << 20 };

    [SmallDiskFact]
    public async Task DiskIsFull_EveryRequestIsAnsweredRightly()
    {
        await using var small = SmallDisk.Mount(6);
        await using (var cache = NewCacheOn(small.Path))
        {
            for (var i = 0; i < 60; i++) await MakeAsync(cache, Key(i), 200_000);
            for (var i = 0; i < 60; i++)
            {
                await using var lease = await cache.GetOrCreateAsync(Key(i), 200_000, Derived, Maker(Key(i)), default);
                Assert.Equal(Bytes(Key(i), 200_000), await ReadAllAsync(lease));
            }

            Assert.True(Disk(cache).Errors > 0);
            Assert.True(Disk(cache).Entries > 5);
            Assert.Empty(Directory.GetFiles(System.IO.Path.Combine(small.Path, "tmp")));
        }

        await using var again = NewCacheOn(small.Path);
        Assert.Equal(0, (await again.ScrubAsync(null, default)).Damaged);
        Assert.True(await CountOnDiskAsync(again, 60) > 5);
    }

    [SmallDiskFact]
    public async Task DiskFillsWhileALargeValueArrives_ReadersGetAllOfIt()
    {
        await using var small = SmallDisk.Mount(6);
        await using var cache = NewCacheOn(small.Path);
        var (half, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var make = Streaming(Key(1), declareLength: false, beforeEach: at =>
        {
            if (at <= 1_500_000) return Task.CompletedTask;
            half.TrySetResult();
            return go.Task;
        });
        await using (var first = await cache.GetOrCreateAsync(Key(1), 20_000_000, LargePolicy, make, default))
        {
            await half.Task;
            await using var joined = await cache.GetOrCreateAsync(Key(1), 20_000_000, LargePolicy, NeverCalled, default);
            go.SetResult();
            var expected = SHA256.HashData(Bytes(Key(1), 20_000_000));
            Assert.All(await Task.WhenAll(LargeValueTests.HashAsync(first), LargeValueTests.HashAsync(joined, pause: true)).WaitAsync(TimeSpan.FromSeconds(60)), hash => Assert.Equal(expected, hash));
        }

        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        Assert.True(Disk(cache).Errors > 0);
        Assert.Empty(Directory.GetFiles(System.IO.Path.Combine(small.Path, "values-1"), "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFiles(System.IO.Path.Combine(small.Path, "tmp")));
        Assert.Equal(0, cache.Memory.Pool.LentBlocks);
    }

    [Fact]
    public async Task FolderCanNoLongerBeWritten_ReadsGoOnAndAnInvalidationIsNotForgotten()
    {
        await using var disk = new DiskFixture();
        var tag = CacheTag.Of("series", "1");
        await using (var cache = disk.NewCache())
        {
            await MakeAsync(cache, Key(1), 1000, null, tag);
            await MakeAsync(cache, Key(2), 1000);
            await MakeAsync(cache, Key(5), 1000);
        }

        await using (var cache = disk.NewCache(options => options.Disk.BreakDuration = TimeSpan.FromMilliseconds(1)))
        {
            await AssertHitAsync(cache, Key(2), 1000, CacheTier.Disk);
            SetWritable(false);
            await AssertHitAsync(cache, Key(1), 1000, CacheTier.Disk);
            await MakeAsync(cache, Key(3), 1000);
            await using (var lease = await cache.GetOrCreateAsync(Key(4), 20_000_000, LargePolicy, Streaming(Key(4)), default))
                Assert.Equal(SHA256.HashData(Bytes(Key(4), 20_000_000)), await LargeValueTests.HashAsync(lease));
            Assert.True(Disk(cache).Errors > 0);

            await cache.InvalidateAsync(tag, default);
            await AssertMadeAgainAsync(cache, Key(1), 1000);
            cache.Memory.Clear();
            await AssertMadeAgainAsync(cache, Key(1), 1000);          // the file is still there and is not read
            await cache.FlushAsync(default);
            SetWritable(true);
            cache.Memory.Clear();
            await AssertMadeAgainAsync(cache, Key(1), 1000);
            await AssertHitAsync(cache, Key(5), 1000, CacheTier.Disk);
        }

        // A read-only file system would do, but one cannot be made so while files on it are open for writing.
        void SetWritable(bool isWritable)
        {
            var (temporary, epochLock) = (System.IO.Path.Combine(disk.Path, "tmp"), System.IO.Path.Combine(disk.Path, "epochs-1", "lock"));
            if (isWritable)
            {
                Directory.CreateDirectory(temporary);
                Directory.Delete(epochLock);
            }
            else
            {
                Directory.Delete(temporary, recursive: true);
                File.Delete(epochLock);
                Directory.CreateDirectory(epochLock);
            }
        }
    }

    [Fact]
    public async Task FolderCannotBeMade_EveryRequestIsAnsweredAndTheTierComesBack()
    {
        await using var disk = new DiskFixture();
        var blocked = System.IO.Path.Combine(disk.Path, "blocked");
        await File.WriteAllTextAsync(blocked, "no folder");
        await using var cache = disk.NewCache(options => (options.Disk.Path, options.Disk.BreakDuration) = (blocked, TimeSpan.FromMilliseconds(1)));
        await MakeAsync(cache, Key(1), 1000);
        await using (var lease = await cache.GetOrCreateAsync(Key(2), 20_000_000, LargePolicy, Streaming(Key(2)), default))
            Assert.Equal(SHA256.HashData(Bytes(Key(2), 20_000_000)), await LargeValueTests.HashAsync(lease));
        Assert.True(await cache.Records.TryReplaceAsync(Digest256.HashData([1]), 0, new CacheRecord { Value = new byte[] { 1 } }, default));
        Assert.NotNull(await cache.Records.ReadAsync(Digest256.HashData([1]), default));
        await cache.InvalidateAsync(CacheTag.Of("a", "b"), default);
        await cache.RemoveAsync(Key(1), default);
        Assert.True(Disk(cache).Bypassed > 0);
        Assert.Equal(0, (await cache.ScrubAsync(null, default)).Entries);

        File.Delete(blocked);
        await Task.Delay(20);
        await MakeAsync(cache, Key(3), 1000);
        Assert.Single(Directory.GetFiles(System.IO.Path.Combine(blocked, "values-1"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task FileCannotBeRead_IsCountedAndLeftAloneAfterAFew()
    {
        await using var disk = new DiskFixture();
        await using (var cache = disk.NewCache()) await MakeAsync(cache, Key(1), 1000);
        var path = disk.Files().Single();
        File.Delete(path);
        File.CreateSymbolicLink(path, "/proc/self/mem");            // reading it fails with EIO
        await using var again = disk.NewCache();
        for (var i = 0; i < 6; i++)
        {
            await AssertMadeAgainAsync(again, Key(1), 1000, Derived with { Memory = false });
            await again.FlushAsync(default);
            File.Delete(path);
            File.CreateSymbolicLink(path, "/proc/self/mem");
        }

        Assert.True(Disk(again).Errors >= 3);
        Assert.True(Disk(again).Bypassed > 0);
    }

    private static TieredCache NewCacheOn(string path) => new(new TieredCacheOptions { Memory = { CapacityBytes = 8 << 20, PoisonReleasedMemory = true }, Disk = { Path = path, MinFreeBytes = 0, BreakDuration = TimeSpan.FromMilliseconds(1) } });

    private static async Task<int> CountOnDiskAsync(TieredCache cache, int count)
    {
        var found = 0;
        for (var i = 0; i < count; i++)
        {
            await using var lease = await cache.TryGetAsync(Key(i), default);
            if (lease is null) continue;
            Assert.Equal(Bytes(Key(i), 200_000), await ReadAllAsync(lease.Value));
            found++;
        }

        return found;
    }

    private sealed class SmallDisk : IAsyncDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("platform-small-").FullName;

        public static SmallDisk Mount(int megabytes)
        {
            var disk = new SmallDisk();
            Assert.Equal(0, Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", disk.Path));
            return disk;
        }

        public ValueTask DisposeAsync()
        {
            Run("umount", "-l", Path);
            Directory.Delete(Path);
            return ValueTask.CompletedTask;
        }

        public static int Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }

    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SmallDiskFactAttribute : FactAttribute
    {
        private static readonly Lazy<bool> CanMount = new(static () =>
        {
            try
            {
                var path = Directory.CreateTempSubdirectory("platform-small-").FullName;
                var mounted = SmallDisk.Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path) == 0;
                if (mounted) SmallDisk.Run("umount", "-l", path);
                Directory.Delete(path);
                return mounted;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        });

        public override string? Skip
        {
            get => base.Skip ?? (CanMount.Value ? null : "needs the right to mount a tmpfs");
            set => base.Skip = value;
        }
    }
}
