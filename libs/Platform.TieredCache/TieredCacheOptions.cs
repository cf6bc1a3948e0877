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

    /// <summary>The disk tier.</summary>
    public DiskTierOptions Disk { get; set; } = new();

    /// <summary>The object store that nodes share, where there is one.</summary>
    public ObjectTierOptions Objects { get; set; } = new();

    /// <summary>The records beside the values.</summary>
    public RecordOptions Records { get; set; } = new();

    /// <summary>Per kind: <c>TieredCache:Kinds:File:Ttl</c> and so on.</summary>
    public Dictionary<EntryKind, KindPolicy> Kinds { get; set; } = [];
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

    /// <summary>How long Redis keeps a value whose policy says nothing else.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How many commands in a row may fail before the connection is dropped and the tier is left alone for <see cref="BreakDuration"/>.</summary>
    [Range(1, 1000)]
    public int FailuresBeforeBreak { get; set; } = 3;

    /// <summary>How long the tier is left alone after it failed; then it is tried in the background.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Writes that may wait for Redis at once; further ones are dropped.</summary>
    [Range(1, 4096)]
    public int MaxPendingWrites { get; set; } = 64;

    /// <summary>Commands that may be under way at once; further ones wait for at most <see cref="Timeout"/> and are then not asked.</summary>
    [Range(1, 65536)]
    public int MaxCommands { get; set; } = 256;

    /// <summary>How often the log of invalidations is read when nobody says that there is something new in it.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long other nodes wait for a node that makes a value and is not heard of.</summary>
    public TimeSpan TurnLease { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a node waits for a value that another is making, and is heard of, before it makes it itself.</summary>
    public TimeSpan TurnPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Invalidations that the log in Redis keeps, for nodes that were away; who missed more forgets everything.</summary>
    internal int LogEntries { get; set; } = 16_384;
}

/// <summary>Bounds of the tier in an object store.</summary>
public sealed class ObjectTierOptions
{
    /// <summary>The most bytes of one value; larger ones are not offered. A value is held in memory while it is checked.</summary>
    [Range(1024, 64 << 20)]
    public int MaxValueBytes { get; set; } = 4 << 20;

    /// <summary>How long one look or one write may take, whole; beyond that the tier counts as failed for this request.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a value counts whose kind and policy say nothing. The store's own rules should remove what is older.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How many requests in a row may fail before the tier is left alone for <see cref="BreakDuration"/>.</summary>
    [Range(1, 1000)]
    public int FailuresBeforeBreak { get; set; } = 3;

    /// <summary>How long the tier is left alone after it failed; then one request tries it.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Writes that may wait for the store at once; further values are not kept there.</summary>
    [Range(1, 4096)]
    public int MaxPendingWrites { get; set; } = 64;

    /// <summary>Requests that may be under way at once; further ones wait within their deadline.</summary>
    [Range(1, 1024)]
    public int MaxRequests { get; set; } = 16;

    /// <summary>How long what another node invalidated by tag or kind may be read on here, where Redis does not tell of it.</summary>
    public TimeSpan InvalidationsAreSeenWithin { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Bounds of the disk tier.</summary>
public sealed class DiskTierOptions
{
    /// <summary>The folder, which processes may share; null or empty: no disk tier. It holds nothing else.</summary>
    public string? Path { get; set; }

    /// <summary>Bytes that the values may take, headers and checksums included; at the limit the least recently used leave.</summary>
    [Range(1L << 20, 1L << 50)]
    public long CapacityBytes { get; set; } = 10L << 30;

    /// <summary>Values that there may be.</summary>
    [Range(1, 10_000_000)]
    public int CapacityItems { get; set; } = 100_000;

    /// <summary>How long a value is kept whose kind and policy say nothing.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Bytes that stay free on the file system: below that nothing is written, and values leave until it is so again.</summary>
    [Range(0L, 1L << 50)]
    public long MinFreeBytes { get; set; } = 1L << 30;

    /// <summary>How many failures in a row make the tier be left alone for <see cref="BreakDuration"/>.</summary>
    [Range(1, 1000)]
    public int FailuresBeforeBreak { get; set; } = 3;

    /// <summary>How long the tier is left alone after it failed; then one request tries it.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Values that may wait to be written behind the answer; further ones are not kept on disk.</summary>
    [Range(1, 4096)]
    public int MaxPendingWrites { get; set; } = 64;
}

/// <summary>Bounds of the records.</summary>
public sealed class RecordOptions
{
    /// <summary>Bytes of records, and of what is needed to find them, in memory.</summary>
    [Range(64L << 10, 1L << 40)]
    public long MemoryBytes { get; set; } = 16 << 20;

    /// <summary>Records on disk, where there is a disk tier; the oldest leave first.</summary>
    [Range(1, 10_000_000)]
    public int CapacityItems { get; set; } = 100_000;
}
