using System.Text.Json.Serialization;

namespace Cli.Cache;

/// <summary>The answer to <c>GET /api/cache/stats</c>, as far as it is shown.</summary>
internal sealed record CacheStats
{
    public long Requests { get; init; }
    public long Hits { get; init; }
    public double HitRate { get; init; }
    public double ByteHitRate { get; init; }
    public IReadOnlyList<TierFigures> Totals { get; init; } = [];
    public IReadOnlyList<TierFigures> Tiers { get; init; } = [];
    public IReadOnlyList<OriginFigures> Origins { get; init; } = [];
}

/// <summary>What a tier did, in all or with one kind of value.</summary>
internal sealed record TierFigures
{
    public string Tier { get; init; } = "";
    public string? Kind { get; init; }
    public long Hits { get; init; }
    public long Misses { get; init; }
    public double HitRate { get; init; }
    public long Entries { get; init; }
    public long Bytes { get; init; }
    public long? CapacityBytes { get; init; }
    public long Evictions { get; init; }
    public long Expirations { get; init; }
    public long Corruptions { get; init; }
    public long Errors { get; init; }
}

internal sealed record OriginFigures
{
    public string Name { get; init; } = "";
    public long Requests { get; init; }
    public long Bytes { get; init; }
}

/// <summary>What a clear frees or would free: members of the answer, and of the problem that asks for confirmation.</summary>
internal sealed record ClearReport
{
    public long Entries { get; init; }
    public long Bytes { get; init; }
    public IReadOnlyList<ClearedTier> Tiers { get; init; } = [];
}

internal sealed record ClearedTier(string Tier, long Entries, long Bytes);

/// <summary>The one scrub of the server, under way or the last one.</summary>
internal sealed record ScrubState
{
    /// <summary>idle, running, done, failed, cancelled.</summary>
    public string State { get; init; } = "";
    public long CheckedEntries { get; init; }
    public long TotalEntries { get; init; }
    public long CheckedBytes { get; init; }
    public long TotalBytes { get; init; }
    public long Corruptions { get; init; }

    public bool Is(string state) => State.Equals(state, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What can be set while the server runs.</summary>
internal sealed record CacheSettings
{
    public IReadOnlyList<CacheSetting> Settings { get; init; } = [];
}

/// <param name="Name">As in the server's configuration below <c>TieredCache</c>.</param>
/// <param name="Unit">bytes, items, duration.</param>
/// <param name="Value">What holds now.</param>
/// <param name="Configured">What holds when it is not set at run time.</param>
/// <param name="IsSet">Whether it was set at run time.</param>
/// <param name="About">What it does.</param>
internal sealed record CacheSetting(string Name, string Unit, string? Value, string? Configured, bool IsSet, string About);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CacheStats))]
[JsonSerializable(typeof(ClearReport))]
[JsonSerializable(typeof(ScrubState))]
[JsonSerializable(typeof(CacheSettings))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class CacheJson : JsonSerializerContext;
