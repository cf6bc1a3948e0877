namespace Platform.TieredCache;

/// <summary>What is to be forgotten.</summary>
internal enum InvalidationScope : byte
{
    /// <summary>One value.</summary>
    Key,
    /// <summary>All values with a tag.</summary>
    Tag,
    /// <summary>All values of a kind.</summary>
    Kind,
    /// <summary>Everything.</summary>
    All,
}

/// <summary>
/// Something that every tier of every node is to forget. Only the member that <see cref="Scope"/> names counts.
/// </summary>
internal readonly record struct Invalidation
{
    public InvalidationScope Scope { get; private init; }

    public CacheKey Key { get; private init; }

    public CacheTag Tag { get; private init; }

    public EntryKind Kind { get; private init; }

    public static Invalidation All => new() { Scope = InvalidationScope.All };

    public static Invalidation Of(CacheKey key) => new() { Scope = InvalidationScope.Key, Key = key };

    public static Invalidation Of(CacheTag tag) => new() { Scope = InvalidationScope.Tag, Tag = tag };

    public static Invalidation Of(EntryKind kind) => new() { Scope = InvalidationScope.Kind, Kind = kind };
}
