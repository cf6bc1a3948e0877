using System.Collections.Immutable;

namespace Platform.TieredCache;

/// <summary>What whoever runs the cache sees and changes. Thread-safe; nothing here stops requests from being served.</summary>
public interface ICacheAdministration
{
    /// <summary>The entries of one tier, a page at a time. Entries that come and go meanwhile may be missed or seen twice.</summary>
    ValueTask<CacheEntryPage> ListAsync(CacheEntryQuery query, CancellationToken cancellationToken);

    /// <summary>Forgets what the scope names, on this node and in the tiers that it shares; makers under way keep nothing of it.</summary>
    ValueTask<CacheClearReport> ClearAsync(CacheScope scope, CancellationToken cancellationToken);

    /// <summary>What a clear of that scope would free, without doing it.</summary>
    ValueTask<CacheClearReport> MeasureAsync(CacheScope scope, CancellationToken cancellationToken);

    /// <summary>Reads every value on disk and compares it with its checksums and its SHA-256; what does not match is quarantined.</summary>
    Task<CacheScrubReport> ScrubAsync(IProgress<CacheScrubProgress>? progress, CancellationToken cancellationToken);

    /// <summary>The bounds in force.</summary>
    CacheBounds Bounds { get; }

    /// <summary>Puts bounds in force at once; what no longer fits leaves. They last until the process ends.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bound makes no sense.</exception>
    ValueTask ApplyAsync(CacheBounds bounds, CancellationToken cancellationToken);
}

/// <summary>The order of a listing.</summary>
public enum CacheEntryOrder : byte
{
    /// <summary>Most bytes first.</summary>
    Largest,
    /// <summary>Most hits first, as far as the tier counts them.</summary>
    Hottest,
    /// <summary>Made last first.</summary>
    Newest,
    /// <summary>Made first first.</summary>
    Oldest,
}

/// <summary>What to list.</summary>
public sealed record CacheEntryQuery
{
    /// <summary>The tier: memory or disk; others list nothing.</summary>
    public CacheTier Tier { get; init; }

    /// <summary>One kind only; null for all.</summary>
    public EntryKind? Kind { get; init; }

    /// <summary>The order.</summary>
    public CacheEntryOrder Order { get; init; }

    /// <summary>The <see cref="CacheEntryPage.Next"/> of the page before; null for the first.</summary>
    public string? After { get; init; }

    /// <summary>The most entries of a page, 1 to 500.</summary>
    public int Limit { get; init; } = 100;
}

/// <summary>One page of a listing; <paramref name="Next"/> continues it, null at its end.</summary>
public sealed record CacheEntryPage(IReadOnlyList<CacheEntryInfo> Entries, string? Next);

/// <summary>One entry of one tier. It names neither patient nor study.</summary>
/// <param name="Tier">Where it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Hexadecimal digits of the hash of its key: the same in every tier.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Bytes">Bytes that it takes in the tier.</param>
/// <param name="MadeAt">When it was made.</param>
/// <param name="LastUsedAt">When it was last read, where the tier knows.</param>
/// <param name="Hits">How often this process read it there, where the tier counts; memory counts fewer where they come close together.</param>
/// <param name="ExpiresAt">When it leaves, where it has a time to live.</param>
public sealed record CacheEntryInfo(CacheTier Tier, EntryKind Kind, string Id, string MediaType, long Bytes,
    DateTimeOffset MadeAt, DateTimeOffset? LastUsedAt, long Hits, DateTimeOffset? ExpiresAt);

/// <summary>What to clear or measure.</summary>
public sealed record CacheScope
{
    private CacheScope()
    {
    }

    /// <summary>Only this tier; null for all.</summary>
    public CacheTier? OnlyTier { get; private init; }

    /// <summary>Only values with this tag; null for all.</summary>
    public CacheTag? OnlyTag { get; private init; }

    /// <summary>Only values of this kind; null for all.</summary>
    public EntryKind? OnlyKind { get; private init; }

    /// <summary>Everything, records included.</summary>
    public static CacheScope All { get; } = new();

    /// <summary>One tier. Clearing memory alone is harmless: the tiers below still have what they keep.</summary>
    public static CacheScope Tier(CacheTier tier) => new() { OnlyTier = tier };

    /// <summary>The values (and records) of one tag, in all tiers.</summary>
    public static CacheScope Tag(CacheTag tag) => new() { OnlyTag = tag };

    /// <summary>The values of one kind, in all tiers.</summary>
    public static CacheScope Kind(EntryKind kind) => new() { OnlyKind = kind };
}

/// <summary>Entries and bytes that a clear freed, or would free, in one tier.</summary>
public sealed record CacheClearFigures(CacheTier Tier, long Entries, long Bytes);

/// <summary>What a clear freed, or would free, tier by tier. Shared tiers report what they can count.</summary>
public sealed record CacheClearReport(ImmutableArray<CacheClearFigures> Tiers)
{
    /// <summary>Over all tiers.</summary>
    public long Entries => Tiers.Sum(tier => tier.Entries);

    /// <summary>Over all tiers.</summary>
    public long Bytes => Tiers.Sum(tier => tier.Bytes);
}

/// <summary>How far a scrub is.</summary>
public sealed record CacheScrubProgress(long EntriesDone, long EntriesTotal, long BytesDone, long BytesTotal, long Damaged);

/// <summary>What a scrub found.</summary>
public sealed record CacheScrubReport(long Entries, long Bytes, long Damaged, TimeSpan Took);

/// <summary>The bounds of all tiers that can change at run time.</summary>
public sealed record CacheBounds
{
    /// <summary>Bytes of the memory tier, 2 MB up to what was reserved at the start (<see cref="MemoryReservedBytes"/>).</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The most that <see cref="MemoryBytes"/> can become without a restart.</summary>
    public long MemoryReservedBytes { get; init; }

    /// <summary>Bytes of the disk tier.</summary>
    public required long DiskBytes { get; init; }

    /// <summary>Files of the disk tier.</summary>
    public required int DiskItems { get; init; }

    /// <summary>How long the disk tier keeps a value whose kind and policy say nothing.</summary>
    public required TimeSpan DiskTtl { get; init; }

    /// <summary>Bytes that stay free on the disk's file system.</summary>
    public required long DiskMinFreeBytes { get; init; }

    /// <summary>How long Redis keeps a value whose kind and policy say nothing.</summary>
    public required TimeSpan RedisTtl { get; init; }

    /// <summary>Per kind.</summary>
    public required KindPolicies Kinds { get; init; }
}
