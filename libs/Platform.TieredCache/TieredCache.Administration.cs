namespace Platform.TieredCache;

/// <summary>Looking at the tiers, clearing them, and changing their bounds.</summary>
public sealed partial class TieredCache
{
    private volatile CacheBounds _bounds;

    /// <inheritdoc/>
    public CacheBounds Bounds => _bounds;

    private CacheBounds BoundsOf(TieredCacheOptions options) => new()
    {
        MemoryBytes = _memory.Pool.CapacityBytes,
        MemoryReservedBytes = _memory.Pool.CapacityBytes,
        DiskBytes = options.Disk.CapacityBytes,
        DiskItems = options.Disk.CapacityItems,
        DiskTtl = options.Disk.Ttl,
        DiskMinFreeBytes = options.Disk.MinFreeBytes,
        RedisTtl = options.Redis.Ttl,
        Kinds = new KindPolicies(options.Kinds),
    };

    /// <inheritdoc/>
    public ValueTask<CacheEntryPage> ListAsync(CacheEntryQuery query, CancellationToken cancellationToken)
    {
        if (query.Limit is < 1 or > 500) throw new ArgumentOutOfRangeException(nameof(query), "A page has 1 to 500 entries.");
        return new ValueTask<CacheEntryPage>(new CacheEntryPage([], null));
    }

    /// <inheritdoc/>
    public async ValueTask<CacheClearReport> ClearAsync(CacheScope scope, CancellationToken cancellationToken)
    {
        if (scope.OnlyTier == CacheTier.Memory)
        {
            _memory.Clear();
        }
        else
        {
            var what = scope.OnlyTag is { } tag ? Invalidation.Of(tag) : scope.OnlyKind is { } kind ? Invalidation.Of(kind) : Invalidation.All;
            await ForgetAsync(what, fromAnotherNode: false, cancellationToken).ConfigureAwait(false);
        }

        return new CacheClearReport([]);
    }

    /// <inheritdoc/>
    public ValueTask<CacheClearReport> MeasureAsync(CacheScope scope, CancellationToken cancellationToken)
        => new(new CacheClearReport([]));

    /// <inheritdoc/>
    public Task<CacheScrubReport> ScrubAsync(IProgress<CacheScrubProgress>? progress, CancellationToken cancellationToken)
        => Task.FromResult(new CacheScrubReport(0, 0, 0, TimeSpan.Zero));

    /// <inheritdoc/>
    public ValueTask ApplyAsync(CacheBounds bounds, CancellationToken cancellationToken)
    {
        if (bounds.MemoryBytes != _bounds.MemoryBytes) _memory.SetCapacity(bounds.MemoryBytes);
        _bounds = bounds;
        _disk?.Apply(bounds);
        return ValueTask.CompletedTask;
    }
}
