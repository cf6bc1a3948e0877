using System.IO.Pipelines;
using System.Security.Cryptography;
using static Platform.TieredCache.Tests.DiskFixture;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>Relayed values larger than memory takes: on disk while they arrive, read from there by all.</summary>
public class LargeValueTests
{
    private const int Large = 20_000_003;

    private static readonly EntryPolicy Policy = Relayed with { MaxMemoryBytes = 1 << 20 };

    [Theory]
    [InlineData(true, 100_000)]
    [InlineData(false, 100_000)]
    [InlineData(true, 1_000)]
    [InlineData(false, 65_536)]
    [InlineData(true, 3_000_000)]
    public async Task GetOrCreateAsync_TooLargeForMemory_IsReadWhileItArrivesAndLaterFromDisk(bool declareLength, int step)
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var key = Key(1);
        byte[] expected = SHA256.HashData(Bytes(key, Large));
        await using (var lease = await cache.GetOrCreateAsync(key, Large, Policy, Streaming(key, step, declareLength), default))
        {
            Assert.Equal(expected, await HashAsync(lease));
            Assert.Equal(expected, await HashAsync(lease));          // a second time: nothing was given up
            Assert.False(lease.TryGetBytes(out _));
            await cache.FlushAsync(default);
            Assert.Equal(0, cache.Memory.Pool.UsedBytes);
        }

        Assert.Single(disk.Files());
        Assert.Empty(disk.In("tmp"));
        await cache.DisposeAsync();
        await using var again = disk.NewCache();
        await using var hit = await again.GetOrCreateAsync(key, Large, Policy, Streaming(key), default);
        Assert.Equal((CacheTier.Disk, CacheResult.Hit), (hit.Outcome.Tier, hit.Outcome.Result));
        Assert.Equal((Large, new Digest256(expected)), (hit.Header.Length!.Value, hit.Header.BodyDigest));
        Assert.Equal(expected, await HashAsync(hit));
        foreach (var (offset, count) in ((int, int?)[])[(0, 0), (1, 1), (65_535, 2), (65_536, 65_536), (100_000, 5_000_000), (Large - 1, 1), (Large, 0), (19_999_999, null)])
            Assert.Equal(Bytes(key, Large)[offset..(count is { } c ? offset + c : Large)], await ReadAllAsync(hit, offset, count));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await ReadAllAsync(hit, 1, Large));
    }

    [Fact]
    public async Task GetOrCreateAsync_JoinedHalfWay_EveryReaderGetsAllOfIt()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var key = Key(1);
        var expected = SHA256.HashData(Bytes(key, Large));
        var (half, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var make = Streaming(key, declareLength: false, beforeEach: async at =>
        {
            if (at < Large / 2) return;
            half.TrySetResult();
            await go.Task;
        });
        await using var first = await cache.GetOrCreateAsync(key, Large, Policy, make, default);
        var slow = HashAsync(first, pause: true);
        await half.Task;
        await using var second = await cache.GetOrCreateAsync(key, Large, Policy, NeverCalledLarge, default);
        await using var third = await cache.GetOrCreateAsync(key, Large, Policy, NeverCalledLarge, default);
        Assert.True(second.Outcome.IsCoalesced);
        var others = Task.WhenAll(HashAsync(second), HashAsync(third));
        go.SetResult();
        Assert.All(await others, hash => Assert.Equal(expected, hash));
        Assert.Equal(expected, await slow);
        Assert.InRange(cache.GetStatistics().MemoryBytes, 0, 8 << 20);
    }

    [Fact]
    public async Task GetOrCreateAsync_AllMemoryIsLent_RelayedValuesGoToDiskInsteadOfAWindow()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var held = new List<CacheLease>();
        for (var i = 0; i < 7; i++) held.Add(await cache.GetOrCreateAsync(Key(i), 1 << 20, EntryPolicy.Derived, Maker(Key(i)), default));
        var key = Key(100);
        await using (var lease = await cache.GetOrCreateAsync(key, 15_000_000, Relayed, Streaming(key), default))
            Assert.Equal(SHA256.HashData(Bytes(key, 15_000_000)), await HashAsync(lease));
        foreach (var lease in held) await lease.DisposeAsync();
        await cache.FlushAsync(default);
        await using var again = await cache.GetOrCreateAsync(key, 15_000_000, Relayed, NeverCalledLarge, default);
        Assert.Equal(CacheTier.Disk, again.Outcome.Tier);
    }

    [Fact]
    public async Task GetOrCreateAsync_MakerFailsHalfWay_ReadersFailAndNothingStays()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var key = Key(1);
        await using var lease = await cache.GetOrCreateAsync(key, Large, Policy, Streaming(key, beforeEach: at => at > Large / 2 ? throw new IOException("planned") : Task.CompletedTask), default);
        Assert.Equal("planned", (await Assert.ThrowsAsync<IOException>(() => HashAsync(lease))).Message);
        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        Assert.Empty(disk.Files());
        Assert.Empty(disk.In("tmp"));
    }

    [Fact]
    public async Task GetOrCreateAsync_EverybodyLeaves_TheMakerStopsAndNothingStays()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var key = Key(1);
        var stopped = new TaskCompletionSource();
        var lease = await cache.GetOrCreateAsync(key, Large, Policy, async (n, writer, token) =>
        {
            try
            {
                await Streaming(key, beforeEach: at => at > Large / 2 ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask)(n, writer, token);
            }
            finally
            {
                stopped.SetResult();
            }
        }, default);
        await lease.DisposeAsync();
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        Assert.Empty(disk.Files());
        Assert.Empty(disk.In("tmp"));
    }

    [Fact]
    public async Task RemoveAsync_WhileItArrives_ReadersFinishAndNothingStays()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache();
        var key = Key(1);
        await using (var lease = await cache.GetOrCreateAsync(key, Large, Policy, Streaming(key, beforeEach: async at =>
        {
            if (at == 10_000_000) await cache.RemoveAsync(key, default);
        }), default))
            Assert.Equal(SHA256.HashData(Bytes(key, Large)), await HashAsync(lease));
        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        Assert.Empty(disk.Files());
        Assert.Empty(disk.In("tmp"));
    }

    [Fact]
    public async Task GetOrCreateAsync_BeyondTheBoundOfTheKind_GoesThroughTheWindow()
    {
        await using var disk = new DiskFixture();
        await using var cache = disk.NewCache(options => options.Kinds[EntryKind.Frame] = new KindPolicy { MaxDiskBytes = 9 << 20 });
        var key = Key(1);
        foreach (var declareLength in (bool[])[true, false])
        {
            await using var lease = await cache.GetOrCreateAsync(key, Large, Policy, Streaming(key, declareLength: declareLength), default);
            Assert.Equal(SHA256.HashData(Bytes(key, Large)), await HashAsync(lease));
        }

        await SingleFlightTests.EventuallyAsync(() => cache.Flights == 0);
        Assert.Empty(disk.Files());
        Assert.Empty(disk.In("tmp"));
        Assert.Equal(0, cache.Memory.Pool.LentBlocks);
    }

    public static async Task<byte[]> HashAsync(CacheLease lease, bool pause = false)
    {
        var pipe = new Pipe();
        var copy = CopyAsync();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            var read = await pipe.Reader.ReadAsync();
            foreach (var piece in read.Buffer) hash.AppendData(piece.Span);
            pipe.Reader.AdvanceTo(read.Buffer.End);
            if (pause) await Task.Delay(1);
            if (read.IsCompleted) break;
        }

        await copy;
        return hash.GetHashAndReset();

        async Task CopyAsync()
        {
            Exception? failure = null;
            try
            {
                await lease.CopyToAsync(pipe.Writer, 0, null, CancellationToken.None);
            }
            catch (Exception exception)
            {
                failure = exception;
                throw;
            }
            finally
            {
                await pipe.Writer.CompleteAsync(failure);
            }
        }
    }

    private static Task NeverCalledLarge(int state, EntryWriter writer, CancellationToken cancellationToken)
        => throw new InvalidOperationException("The maker was not to be called.");
}
