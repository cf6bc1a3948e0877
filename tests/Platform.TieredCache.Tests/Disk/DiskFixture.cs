using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>A folder for one test, and caches over it; all gone when the test ends.</summary>
internal sealed class DiskFixture : IAsyncDisposable
{
    private readonly List<TieredCache> _caches = [];

    public string Path { get; } = Directory.CreateTempSubdirectory("platform-disk-").FullName;

    public string ValuesPath => System.IO.Path.Combine(Path, "values-1");

    public TieredCache NewCache(Action<TieredCacheOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new TieredCacheOptions
        {
            Memory = { CapacityBytes = 8 << 20, OverflowBytes = 4 << 20, PoisonReleasedMemory = true },
            Disk = { Path = Path, MinFreeBytes = 0 },
        };
        configure?.Invoke(options);
        var cache = new TieredCache(options, time: time);
        _caches.Add(cache);
        return cache;
    }

    /// <summary>The value files, in no order.</summary>
    public string[] Files() => Directory.Exists(ValuesPath) ? Directory.GetFiles(ValuesPath, "*", SearchOption.AllDirectories) : [];

    public string[] In(string folder) => Directory.GetFiles(System.IO.Path.Combine(Path, folder), "*", SearchOption.AllDirectories);

    public async ValueTask DisposeAsync()
    {
        foreach (var cache in _caches) await cache.DisposeAsync();
        Directory.Delete(Path, recursive: true);
    }

    public static readonly EntryPolicy Relayed = EntryPolicy.Relayed.WithDisk();
    public static readonly EntryPolicy Derived = EntryPolicy.Derived.WithDisk();

    /// <summary>Makes a value and lets it be written.</summary>
    public static async Task MakeAsync(TieredCache cache, CacheKey key, int length, EntryPolicy? policy = null, params CacheTag[] tags)
    {
        await (await cache.GetOrCreateAsync(key, length, policy ?? Derived, Maker(key, true, tags), default)).DisposeAsync();
        await cache.FlushAsync(default);
    }

    /// <summary>Makes a large relayed value in steps, flushing after each.</summary>
    public static Func<int, EntryWriter, CancellationToken, Task> Streaming(CacheKey key, int step = 100_000, bool declareLength = true, Func<long, Task>? beforeEach = null)
        => async (length, writer, token) =>
        {
            writer.Start(new EntryHeader("application/octet-stream") { Length = declareLength ? length : null });
            for (long at = 0; at < length;)
            {
                if (beforeEach is not null) await beforeEach(at);
                var size = (int)Math.Min(step, length - at);
                Fill(key, at, writer.GetSpan(size)[..size]);
                writer.Advance(size);
                at += size;
                await writer.FlushAsync(token);
            }
        };

    /// <summary>Asserts that the value comes from that tier and is right.</summary>
    public static async Task AssertHitAsync(TieredCache cache, CacheKey key, int length, CacheTier tier, EntryPolicy? policy = null)
    {
        await using var lease = await cache.GetOrCreateAsync(key, length, policy ?? Derived, NeverCalled, default);
        Assert.Equal((tier, CacheResult.Hit), (lease.Outcome.Tier, lease.Outcome.Result));
        Assert.Equal(Bytes(key, length), await ReadAllAsync(lease));
    }

    /// <summary>Asserts that nobody has the value and that it is made again, rightly.</summary>
    public static async Task AssertMadeAgainAsync(TieredCache cache, CacheKey key, int length, EntryPolicy? policy = null)
    {
        await using var lease = await cache.GetOrCreateAsync(key, length, policy ?? Derived, Maker(key), default);
        Assert.Equal((CacheTier.Origin, CacheResult.Miss), (lease.Outcome.Tier, lease.Outcome.Result));
        Assert.Equal(Bytes(key, length), await ReadAllAsync(lease));
    }

    public static TierStatistics Disk(TieredCache cache, EntryKind kind = EntryKind.Frame)
        => cache.GetStatistics().Tiers.Single(row => row.Tier == CacheTier.Disk && row.Kind == kind);
}
