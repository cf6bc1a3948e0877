using System.ComponentModel.DataAnnotations;

namespace Platform.TieredCache;

/// <summary>The bounds of the tiers. Section <c>TieredCache</c>.</summary>
public sealed class TieredCacheOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "TieredCache";

    /// <summary>The memory tier.</summary>
    public MemoryTierOptions Memory { get; set; } = new();

    /// <summary>The Redis tier.</summary>
    public RedisTierOptions Redis { get; set; } = new();
}

/// <summary>Bounds of the memory tier.</summary>
public sealed class MemoryTierOptions
{
    /// <summary>
    /// Bytes that kept values, values being made, values still lent after their eviction, the slack of segments and
    /// the bookkeeping may take together; rounded down to whole megabytes. The memory is reserved at once and touched as it fills.
    /// </summary>
    [Range(2L << 20, 1L << 40)]
    public long CapacityBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Bytes beyond the capacity that may be borrowed while all of it is lent out or being written, given back at once
    /// when released. At the limit relayed values stream through a small window instead, and derived ones fail.
    /// </summary>
    [Range(0L, 1L << 40)]
    public long OverflowBytes { get; set; } = 32 << 20;

    /// <summary>Overwrite memory when it is released, so that a use after that shows. On in debug and soak builds.</summary>
    public bool PoisonReleasedMemory { get; set; }
#if DEBUG
        = true;
#endif
}

/// <summary>Bounds of the Redis tier.</summary>
public sealed class RedisTierOptions
{
    /// <summary>The most bytes of one value, header included; larger ones are not offered to Redis.</summary>
    [Range(1024, 64 << 20)]
    public int MaxValueBytes { get; set; } = 1 << 20;

    /// <summary>How long one command may take; beyond that the tier counts as failed for this request.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long Redis keeps a value.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How many commands in a row may fail before the tier is left alone for <see cref="BreakDuration"/>.</summary>
    [Range(1, 1000)]
    public int FailuresBeforeBreak { get; set; } = 3;

    /// <summary>How long the tier is left alone after it failed; then one command tries it.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Writes that may wait for Redis at once; further ones are dropped.</summary>
    [Range(1, 4096)]
    public int MaxPendingWrites { get; set; } = 64;
}
