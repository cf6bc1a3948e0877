using System.Globalization;

namespace Platform.TieredCache;

/// <summary>Looking at the tiers, clearing them, and changing their bounds.</summary>
public sealed partial class TieredCache
{
    private volatile CacheBounds _bounds;

    /// <inheritdoc/>
    public CacheBounds Bounds => _bounds;

    /// <inheritdoc/>
    public ValueTask<CacheEntryPage> ListAsync(CacheEntryQuery query, CancellationToken cancellationToken)
    {
        if (query.Limit is < 1 or > 500) throw new ArgumentOutOfRangeException(nameof(query), "A page has 1 to 500 entries.");
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<CacheEntryPage>(query.Tier switch
        {
            CacheTier.Memory => ListMemory(query),
            CacheTier.Disk when _disk is not null => ListDisk(_disk, query),
            _ => new CacheEntryPage([], null),
        });
    }

    /// <inheritdoc/>
    public async ValueTask<CacheClearReport> ClearAsync(CacheScope scope, CancellationToken cancellationToken)
    {
        var report = await MeasureAsync(scope, cancellationToken).ConfigureAwait(false);
        switch (scope.OnlyTier)
        {
            case null:
                var what = scope.OnlyTag is { } tag ? Invalidation.Of(tag) : scope.OnlyKind is { } kind ? Invalidation.Of(kind) : Invalidation.All;
                await ForgetAsync(what, fromAnotherNode: false, cancellationToken).ConfigureAwait(false);
                if (scope.OnlyTag is { } only) _disk?.DeleteTagged(only, cancellationToken);
                break;
            case CacheTier.Memory:
                _flights.Invalidate(Invalidation.All, _forget);
                break;
            case CacheTier.Disk when _disk is not null:
                await _disk.InvalidateAsync(Invalidation.All, cancellationToken).ConfigureAwait(false);
                break;
            case CacheTier.Redis when _redis is not null:
                var (count, bytes) = await _redis.ClearAsync(cancellationToken).ConfigureAwait(false);
                report = new CacheClearReport([new CacheClearFigures(CacheTier.Redis, count, bytes)]);      // only now is it known
                break;
        }

        return report;
    }

    /// <inheritdoc/>
    public ValueTask<CacheClearReport> MeasureAsync(CacheScope scope, CancellationToken cancellationToken)
    {
        var figures = new List<CacheClearFigures>();
        if (scope.OnlyTier is null or CacheTier.Memory)
        {
            var entries = _memory.Snapshot().Where(entry => (scope.OnlyKind is not { } kind || entry.Key.Kind == kind) && (scope.OnlyTag is not { } tag || entry.Body.Header.Tags.Contains(tag)));
            figures.Add(Sum(CacheTier.Memory, entries.Select(entry => entry.Bytes)));
        }

        if (_disk is not null && scope.OnlyTier is null or CacheTier.Disk)
        {
            var entries = _disk!.Index.Snapshot().Where(entry => scope.OnlyKind is not { } kind || entry.Kind == kind);
            if (scope.OnlyTag is { } tag) entries = entries.Where(entry => _disk.HasTag(entry, tag, cancellationToken));
            figures.Add(Sum(CacheTier.Disk, entries.Select(entry => entry.Bytes)));
        }

        return new ValueTask<CacheClearReport>(new CacheClearReport([.. figures]));

        static CacheClearFigures Sum(CacheTier tier, IEnumerable<long> sizes)
        {
            var (count, bytes) = (0L, 0L);
            foreach (var size in sizes)
            {
                count++;
                bytes += size;
            }

            return new CacheClearFigures(tier, count, bytes);
        }
    }

    /// <inheritdoc/>
    public Task<CacheScrubReport> ScrubAsync(IProgress<CacheScrubProgress>? progress, CancellationToken cancellationToken)
        => _disk?.ScrubAsync(progress, cancellationToken) ?? Task.FromResult(new CacheScrubReport(0, 0, 0, TimeSpan.Zero));

    /// <inheritdoc/>
    public ValueTask ApplyAsync(CacheBounds bounds, CancellationToken cancellationToken)
    {
        Check(bounds.DiskBytes >= 1 << 20, nameof(bounds.DiskBytes));
        Check(bounds.DiskItems >= 1, nameof(bounds.DiskItems));
        Check(bounds.DiskTtl > TimeSpan.Zero, nameof(bounds.DiskTtl));
        Check(bounds.DiskMinFreeBytes >= 0, nameof(bounds.DiskMinFreeBytes));
        Check(bounds.RedisTtl > TimeSpan.Zero, nameof(bounds.RedisTtl));
        Check(bounds.MemoryBytes >= 2 << 20 && bounds.MemoryBytes <= _memory.Pool.CapacityBytes, nameof(bounds.MemoryBytes));
        foreach (var (_, policy) in bounds.Kinds.All)
            Check(!(policy.Ttl <= TimeSpan.Zero) && policy.StaleWhileRevalidate >= TimeSpan.Zero && policy.StaleIfError >= TimeSpan.Zero && policy.NegativeTtl >= TimeSpan.Zero, nameof(bounds.Kinds));
        if (bounds.MemoryBytes != _bounds.MemoryBytes) _memory.SetCapacity(bounds.MemoryBytes);
        _bounds = bounds with { MemoryReservedBytes = _memory.Pool.CapacityBytes };
        _redisOptions.Ttl = bounds.RedisTtl;       // the tier looks there with every write
        _disk?.Apply(_bounds);
        return ValueTask.CompletedTask;

        static void Check(bool makesSense, string name)
        {
            if (!makesSense) throw new ArgumentOutOfRangeException(name);
        }
    }

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

    private CacheEntryPage ListMemory(CacheEntryQuery query)
    {
        var entries = _memory.Snapshot().Where(entry => query.Kind is not { } kind || entry.Key.Kind == kind);
        return Page(query, entries, entry => query.Order switch
        {
            CacheEntryOrder.Largest => -entry.Bytes,
            CacheEntryOrder.Hottest => -entry.Hits,
            CacheEntryOrder.Newest => -entry.Body.Header.MadeAt.UtcTicks,
            _ => entry.Body.Header.MadeAt.UtcTicks,
        }, entry => entry.Key.ToId(), (entry, id) => new CacheEntryInfo(CacheTier.Memory, entry.Key.Kind, id.ToString(), entry.Body.Header.MediaType, entry.Bytes, entry.Body.Header.MadeAt, null, entry.Hits, null));
    }

    private static CacheEntryPage ListDisk(DiskTier disk, CacheEntryQuery query)
    {
        var entries = disk.Index.Snapshot().Where(entry => query.Kind is not { } kind || entry.Kind == kind);
        return Page(query, entries, entry => query.Order switch
        {
            CacheEntryOrder.Largest => -entry.Bytes,
            CacheEntryOrder.Hottest => -entry.Hits,
            CacheEntryOrder.Newest => -entry.MadeAt.UtcTicks,
            _ => entry.MadeAt.UtcTicks,
        }, entry => entry.Id, (entry, id) => disk.TryReadHeader(entry) is not { } header
            ? null
            : new CacheEntryInfo(CacheTier.Disk, entry.Kind, id.ToString(), header.Entry.MediaType, entry.Bytes, header.Entry.MadeAt, entry.UsedAt, entry.Hits, entry.ExpiresAt));
    }

    // The cursor is the last entry's place in the order: rank, then name. Entries that come and go move nobody else's.
    private static CacheEntryPage Page<T>(CacheEntryQuery query, IEnumerable<T> entries, Func<T, long> rank, Func<T, Digest256> name, Func<T, Digest256, CacheEntryInfo?> describe)
    {
        var after = ParseCursor(query.After);
        var page = entries.Select(entry => (Rank: rank(entry), Name: name(entry), Entry: entry))
            .Where(row => after is not { } last || Compare((row.Rank, row.Name), last) > 0)
            .Order(Comparer<(long Rank, Digest256 Name, T Entry)>.Create(static (a, b) => Compare((a.Rank, a.Name), (b.Rank, b.Name))))
            .Take(query.Limit + 1).ToList();
        var next = page.Count > query.Limit ? string.Create(CultureInfo.InvariantCulture, $"{page[query.Limit - 1].Rank}.{page[query.Limit - 1].Name}") : null;
        return new CacheEntryPage([.. page.Take(query.Limit).Select(row => describe(row.Entry, row.Name)).OfType<CacheEntryInfo>()], next);

        static int Compare((long Rank, Digest256 Name) a, (long Rank, Digest256 Name) b)
            => a.Rank != b.Rank ? a.Rank.CompareTo(b.Rank) : string.CompareOrdinal(a.Name.ToString(), b.Name.ToString());
    }

    private static (long Rank, Digest256 Name)? ParseCursor(string? cursor)
    {
        if (cursor is null) return null;
        var dot = cursor.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && long.TryParse(cursor.AsSpan(0, dot), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rank) && Digest256.TryParse(cursor[(dot + 1)..], out var name)) return (rank, name);
        throw new ArgumentException("The cursor is not one that a listing gave.", nameof(cursor));
    }
}
