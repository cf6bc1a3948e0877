namespace Platform.TieredCache;

/// <summary>Where a value came from. A closed set: metric tag <c>platform.cache.tier</c>.</summary>
public enum CacheTier : byte
{
    /// <summary>This process's memory.</summary>
    Memory,
    /// <summary>Redis, shared between nodes.</summary>
    Redis,
    /// <summary>This node's disk.</summary>
    Disk,
    /// <summary>An object store, shared between nodes.</summary>
    Object,
    /// <summary>Its maker: fetched from the origin or computed.</summary>
    Origin,
}

/// <summary>How a request was answered. A closed set: metric tag <c>platform.cache.result</c>.</summary>
public enum CacheResult : byte
{
    /// <summary>A tier had it.</summary>
    Hit,
    /// <summary>It was made for this caller.</summary>
    Miss,
    /// <summary>It joined work that was already under way.</summary>
    Coalesced,
    /// <summary>The tier was not asked, because it is unwell or the value is not for it.</summary>
    Bypass,
    /// <summary>The tier or the maker failed.</summary>
    Error,
}

/// <summary>What happened when a lease was taken: for <c>Cache-Status</c> and <c>Server-Timing</c>.</summary>
/// <param name="Tier">Where the value came from.</param>
/// <param name="Result">Hit, miss or coalesced.</param>
/// <param name="Age">How long ago the value was made.</param>
/// <param name="Waited">How long the caller waited for it; zero on a memory hit.</param>
public readonly record struct CacheOutcome(CacheTier Tier, CacheResult Result, TimeSpan Age, TimeSpan Waited)
{
    /// <summary>True when a tier of ours answered without asking the origin.</summary>
    public bool IsHit => Tier != CacheTier.Origin;

    /// <summary>True when the caller joined work that another had begun.</summary>
    public bool IsCoalesced => Result == CacheResult.Coalesced;
}
