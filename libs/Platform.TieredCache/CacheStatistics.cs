namespace Platform.TieredCache;

/// <summary>What one tier did with one kind of value since the start.</summary>
/// <param name="Tier">The tier; <see cref="CacheTier.Origin"/> for the makers.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Hits">Requests that it answered.</param>
/// <param name="HitBytes">Bytes of the values it answered with.</param>
/// <param name="Misses">Requests that it passed on; for the origin: values that were made.</param>
/// <param name="Coalesced">Requests that joined work under way which it then answered.</param>
/// <param name="Bypassed">Requests that it was not asked, being unwell.</param>
/// <param name="Errors">Requests that it failed.</param>
/// <param name="Entries">Values it holds, as far as it knows.</param>
/// <param name="Bytes">Bytes that they take.</param>
/// <param name="Evictions">Values it let go for others.</param>
/// <param name="Corruptions">Values it had and that were found damaged, so not served.</param>
/// <param name="Expirations">Values it let go because their time was over.</param>
/// <param name="Downloads">For the origin: values that were made. Equal to its <paramref name="Misses"/>.</param>
/// <param name="DownloadedBytes">For the origin: bytes of the values that were made.</param>
/// <param name="MeanAgeSeconds">How long ago the values it holds were made, on average; 0 where it holds none or does not know.</param>
public sealed record TierStatistics(CacheTier Tier, EntryKind Kind, long Hits, long HitBytes, long Misses, long Coalesced,
    long Bypassed, long Errors, long Entries, long Bytes, long Evictions, long Corruptions,
    long Expirations, long Downloads, long DownloadedBytes, double MeanAgeSeconds)
{
    /// <summary>Hits among the requests that it was asked, 0 to 1; 0 when there were none.</summary>
    public double HitRate => Hits + Misses == 0 ? 0 : (double)Hits / (Hits + Misses);
}

/// <summary>A snapshot of the counts of all tiers. The rows are read one after the other, not at one instant.</summary>
public sealed record CacheStatistics
{
    /// <summary>One row for each tier and kind that was used.</summary>
    public required IReadOnlyList<TierStatistics> Tiers { get; init; }

    /// <summary>What the memory tier may take.</summary>
    public required long MemoryCapacityBytes { get; init; }

    /// <summary>What it takes now: blocks lent, kept or not, with their slack, bookkeeping and overflow.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>What the disk tier may take; 0 without one.</summary>
    public long DiskCapacityBytes { get; init; }

    /// <summary>What its values take now, as far as this process knows.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Requests that a tier answered without asking the origin.</summary>
    public long Hits => Tiers.Where(t => t.Tier != CacheTier.Origin).Sum(t => t.Hits);

    /// <summary>All requests: hits, values made, makers that failed, and those that joined.</summary>
    public long Requests => Hits + Tiers.Sum(t => t.Coalesced) + Tiers.Where(t => t.Tier == CacheTier.Origin).Sum(t => t.Misses + t.Errors);

    /// <summary>Hits among all requests, 0 to 1. A request that joined another's work is no hit.</summary>
    public double HitRate => Requests == 0 ? 0 : (double)Hits / Requests;
}
