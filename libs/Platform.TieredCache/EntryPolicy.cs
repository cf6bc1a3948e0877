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

    /// <summary>The most bytes of one value that memory keeps; a larger one is relayed or lent once and then forgotten.</summary>
    public long MaxMemoryBytes { get; init; } = 16 << 20;

    /// <summary>The most bytes that a derived value may have at all; its maker fails beyond. Relayed values have no such bound.</summary>
    public long MaxDerivedBytes { get; init; } = 64 << 20;

    /// <summary>Whether SHA-256 of the bytes is learnt while they are written (about 0.3 ms for 512 KiB).</summary>
    public bool ComputeBodyDigest { get; init; }

    internal bool NeedsDigest => ComputeBodyDigest || Remote;

    /// <summary>The origin's own bytes, kept in memory.</summary>
    public static EntryPolicy Relayed { get; } = new() { IsRelayed = true };

    /// <summary>A derived value, kept in memory.</summary>
    public static EntryPolicy Derived { get; } = new() { ComputeBodyDigest = true };

    /// <summary>A derived document, kept in memory and shared through Redis.</summary>
    public static EntryPolicy SharedDocument { get; } = new() { Remote = true, ComputeBodyDigest = true };

    /// <summary>What the Platform does with a kind unless its slice says otherwise.</summary>
    public static EntryPolicy For(EntryKind kind) => kind switch
    {
        EntryKind.Frame or EntryKind.File or EntryKind.Model => Relayed,
        EntryKind.Metadata or EntryKind.Manifest => SharedDocument,
        _ => Derived,
    };
}
