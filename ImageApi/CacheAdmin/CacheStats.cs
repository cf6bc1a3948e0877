using ImageApi.Origins;
using ImageApi.Origins.Outbound;
using ImageApi.Prefetch;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>The figures of <c>GET /api/cache/stats</c>: counts of this process since its start.</summary>
internal sealed record CacheStats
{
    /// <summary>When counting began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>All requests: hits, values made, makers that failed, and those that joined.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests that a tier answered without asking the origin.</summary>
    public required long Hits { get; init; }

    /// <summary>Hits among all requests, 0 to 1. A request that joined another's work is no hit.</summary>
    public required double HitRate { get; init; }

    /// <summary>Requests that joined work under way.</summary>
    public required long Coalesced { get; init; }

    /// <summary>Bytes of the values that tiers answered with.</summary>
    public required long HitBytes { get; init; }

    /// <summary>Bytes of the values that were made or fetched.</summary>
    public required long DownloadedBytes { get; init; }

    /// <summary>Bytes from tiers among bytes from tiers and origins, 0 to 1.</summary>
    public required double ByteHitRate { get; init; }

    public required long MemoryBytes { get; init; }
    public required long MemoryCapacityBytes { get; init; }

    /// <summary>One row per tier that is there, nearest first, over all kinds; the origin last.</summary>
    public required IReadOnlyList<TierTotals> Totals { get; init; }

    /// <summary>One row for each tier and kind that was used.</summary>
    public required IReadOnlyList<TierStatistics> Tiers { get; init; }

    /// <summary>What was asked of each origin.</summary>
    public required IReadOnlyList<OriginFigures> Origins { get; init; }

    /// <summary>What was fetched ahead, where prefetching is on.</summary>
    public PrefetchFigures? Prefetch { get; init; }
}

/// <summary>What one tier did, over all kinds.</summary>
internal sealed record TierTotals(CacheTier Tier, long Hits, long HitBytes, long Misses, double HitRate, long Coalesced, long Bypassed, long Errors, long Entries, long Bytes,
    long Evictions, long Expirations, long Corruptions, long Downloads, long DownloadedBytes, double MeanAgeSeconds)
{
    /// <summary>What it may take; null where it has no bound in bytes.</summary>
    public long? CapacityBytes { get; init; }
}

/// <summary>What was asked of an origin since the start.</summary>
internal sealed record OriginFigures(string Name, long Requests, long Bytes, long Failures);

/// <summary>What was fetched ahead of a request, and how much of it was then asked for.</summary>
internal sealed record PrefetchFigures(long Started, long Completed, long Used, double HitRate, long UsedBytes, long WastedBytes, long UnaskedBytes);

/// <summary>Adds the tiers' counts up.</summary>
internal sealed class CacheFigures(ITieredCache cache, ICacheAdministration administration, IOrigins origins, OriginHealthBoard health, OriginMetrics metrics, CacheHistory history, PrefetchLedger ledger)
{
    public CacheStats Read()
    {
        var statistics = cache.GetStatistics();
        var totals = statistics.Tiers.GroupBy(static row => row.Tier).OrderBy(static tier => tier.Key)
            .Select(tier => Add(tier.Key, [.. tier]) with { CapacityBytes = CapacityOf(tier.Key, statistics) }).ToList();
        var (hitBytes, downloadedBytes) = (statistics.Tiers.Sum(static row => row.HitBytes), statistics.Tiers.Sum(static row => row.DownloadedBytes));
        return new CacheStats
        {
            Since = history.Since,
            Requests = statistics.Requests,
            Hits = statistics.Hits,
            HitRate = statistics.HitRate,
            Coalesced = statistics.Tiers.Sum(static row => row.Coalesced),
            HitBytes = hitBytes,
            DownloadedBytes = downloadedBytes,
            ByteHitRate = Share(hitBytes, downloadedBytes),
            MemoryBytes = statistics.MemoryBytes,
            MemoryCapacityBytes = statistics.MemoryCapacityBytes,
            Totals = totals,
            Tiers = statistics.Tiers,
            Origins = [.. origins.All.Select(OriginOf)],
            Prefetch = PrefetchOf(ledger.Counts),
        };
    }

    private static PrefetchFigures PrefetchOf(in PrefetchCounts counts) =>
        new(counts.Started, counts.Completed, counts.Used, Share(counts.Used, Math.Max(0, counts.Completed - counts.Used)), counts.UsedBytes, counts.WastedBytes, counts.UnaskedBytes);

    private OriginFigures OriginOf(IOrigin origin)
    {
        var (requests, bytes) = metrics.Read(origin.Name);
        return new OriginFigures(origin.Name, requests, bytes, health.Find(origin.Name)?.Failures ?? 0);
    }

    private long? CapacityOf(CacheTier tier, CacheStatistics statistics) => tier switch
    {
        CacheTier.Memory => statistics.MemoryCapacityBytes,
        CacheTier.Disk => administration.Bounds.DiskBytes,
        _ => null,
    };

    private static TierTotals Add(CacheTier tier, TierStatistics[] rows)
    {
        var (hits, misses, entries) = (rows.Sum(static row => row.Hits), rows.Sum(static row => row.Misses), rows.Sum(static row => row.Entries));
        return new TierTotals(tier, hits, rows.Sum(static row => row.HitBytes), misses, Share(hits, misses),
            rows.Sum(static row => row.Coalesced), rows.Sum(static row => row.Bypassed), rows.Sum(static row => row.Errors),
            entries, rows.Sum(static row => row.Bytes), rows.Sum(static row => row.Evictions), rows.Sum(static row => row.Expirations), rows.Sum(static row => row.Corruptions),
            rows.Sum(static row => row.Downloads), rows.Sum(static row => row.DownloadedBytes),
            entries == 0 ? 0 : rows.Sum(static row => row.MeanAgeSeconds * row.Entries) / entries);
    }

    private static double Share(long part, long rest) => part + rest == 0 ? 0 : (double)part / (part + rest);
}
