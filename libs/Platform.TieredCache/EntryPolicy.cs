namespace Platform.TieredCache;

/// <summary>
/// Where a value may live and when it can be read. One instance per use, kept in a static field: policies are
/// compared by nobody and allocated by nobody on the way to a hit.
/// </summary>
public sealed record EntryPolicy
{
    /// <summary>
    /// True: the origin's own bytes, readable while they arrive. False (derived): readable only when complete, and
    /// verified by the maker.
    /// </summary>
    public bool IsRelayed { get; init; }

    /// <summary>Whether memory may keep it.</summary>
    public bool Memory { get; init; } = true;

    /// <summary>Whether Redis may keep it. Implies <see cref="ComputeBodyDigest"/>.</summary>
    public bool Remote { get; init; }

    /// <summary>
    /// Whether the disk tier may keep it. A relayed value that is too large for memory is then written to disk while it
    /// arrives, and its readers follow the file.
    /// </summary>
    public bool Disk { get; init; }

    /// <summary>How long tiers below memory may keep it; null for what its kind says (<see cref="KindPolicy.Ttl"/>), else the tier.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>Whether the disk tier may keep it gzip-compressed, where that saves a tenth; readers get the bytes as they were.</summary>
    public bool CompressAtRest { get; init; }

    /// <summary>The most bytes of one value that memory keeps; a larger one is relayed or lent once and then forgotten.</summary>
    public long MaxMemoryBytes { get; init; } = 16 << 20;

    /// <summary>The most bytes that a derived value may have at all; its maker fails beyond. Relayed values have no such bound.</summary>
    public long MaxDerivedBytes { get; init; } = 64 << 20;

    /// <summary>Whether SHA-256 of the bytes is learnt while they are written (about 0.3 ms for 512 KiB).</summary>
    public bool ComputeBodyDigest { get; init; }

    internal bool NeedsDigest => ComputeBodyDigest || Remote;

    /// <summary>This policy with the disk tier. Keep it in a static field.</summary>
    public EntryPolicy WithDisk() => Disk ? this : this with { Disk = true };

    /// <summary>This policy without the disk tier: for what an origin on this machine gives as fast. Keep it in a static field.</summary>
    public EntryPolicy WithoutDisk() => Disk ? this with { Disk = false } : this;

    /// <summary>The origin's own bytes, kept in memory.</summary>
    public static EntryPolicy Relayed { get; } = new() { IsRelayed = true };

    /// <summary>A derived value, kept in memory.</summary>
    public static EntryPolicy Derived { get; } = new() { ComputeBodyDigest = true };

    /// <summary>A derived document, kept in memory and shared through Redis.</summary>
    public static EntryPolicy SharedDocument { get; } = new() { Remote = true, ComputeBodyDigest = true };

    private static readonly EntryPolicy File = Relayed.WithDisk(), Document = SharedDocument with { Disk = true, CompressAtRest = true };
    private static readonly EntryPolicy Picture = Derived.WithDisk();

    /// <summary>
    /// What the Platform does with a kind unless its slice says otherwise. Frames and frame indexes are taken to come from this machine: those of other
    /// origins are worth <see cref="WithDisk"/>.
    /// </summary>
    public static EntryPolicy For(EntryKind kind) => kind switch
    {
        EntryKind.Frame => Relayed,
        EntryKind.FrameIndex => Derived,
        EntryKind.File or EntryKind.Model => File,
        EntryKind.Metadata or EntryKind.Manifest => Document,
        _ => Picture,
    };
}
