using System.Text.Json.Serialization;

namespace Web.Cache;

/// <summary>The answer to <c>GET /api/cache/stats</c>.</summary>
public sealed record CacheStats
{
    public DateTimeOffset Since { get; init; }
    public long Requests { get; init; }
    public long Hits { get; init; }
    public double HitRate { get; init; }
    public double ByteHitRate { get; init; }
    public long Coalesced { get; init; }
    public long HitBytes { get; init; }
    public long DownloadedBytes { get; init; }
    public IReadOnlyList<TierFigures> Totals { get; init; } = [];
    public IReadOnlyList<TierFigures> Tiers { get; init; } = [];
    public PrefetchFigures? Prefetch { get; init; }
}

/// <summary>What a tier did, in all (<see cref="Kind"/> is null) or with one kind of value.</summary>
public sealed record TierFigures
{
    public string Tier { get; init; } = "";
    public string? Kind { get; init; }
    public long Hits { get; init; }
    public long HitBytes { get; init; }
    public long Misses { get; init; }
    public double HitRate { get; init; }
    public long Coalesced { get; init; }
    public long Bypassed { get; init; }
    public long Errors { get; init; }
    public long Entries { get; init; }
    public long Bytes { get; init; }
    public long? CapacityBytes { get; init; }
    public long Evictions { get; init; }
    public long Expirations { get; init; }
    public long Corruptions { get; init; }
    public long DownloadedBytes { get; init; }
    public double MeanAgeSeconds { get; init; }

    /// <summary>The tier as stylesheets and people name it.</summary>
    public string Name => Tier.ToLowerInvariant();

    public bool IsOrigin => Name == "origin";
}

public sealed record PrefetchFigures(long Started, long Completed, long Used, double HitRate);

/// <summary>The counts at one moment, since the start.</summary>
public sealed record CacheSample(DateTimeOffset At, long Requests, long Memory, long Redis, long Disk, long Object, long Origin, long HitBytes, long DownloadedBytes);

public sealed record CacheHistory(double IntervalSeconds, IReadOnlyList<CacheSample> Samples);

public sealed record CacheEntries(IReadOnlyList<CacheEntry> Entries, string? Next);

public sealed record CacheEntry(string Tier, string Kind, string Id, string MediaType, long Bytes, DateTimeOffset MadeAt, DateTimeOffset? LastUsedAt, long Hits, DateTimeOffset? ExpiresAt);

/// <summary>What a clear frees or would free.</summary>
public sealed record CacheCleared(long Entries, long Bytes, IReadOnlyList<ClearedTier> Tiers);

public sealed record ClearedTier(string Tier, long Entries, long Bytes);

public sealed record CacheScrub
{
    public string State { get; init; } = "Idle";
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public long CheckedEntries { get; init; }
    public long TotalEntries { get; init; }
    public long CheckedBytes { get; init; }
    public long TotalBytes { get; init; }
    public long Corruptions { get; init; }

    public bool IsRunning => State == "Running";
}

public sealed record CacheSettings(IReadOnlyList<CacheSetting> Settings);

public sealed record CacheSetting(string Name, string Unit, string? Value, string? Configured, bool IsSet, bool TakesRestart, string About);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CacheStats))]
[JsonSerializable(typeof(CacheHistory))]
[JsonSerializable(typeof(CacheEntries))]
[JsonSerializable(typeof(CacheCleared))]
[JsonSerializable(typeof(CacheScrub))]
[JsonSerializable(typeof(CacheSettings))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class CacheJson : JsonSerializerContext;
