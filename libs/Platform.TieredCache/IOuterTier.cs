namespace Platform.TieredCache;

/// <summary>
/// A tier beneath memory, asked in order within the flight of a miss. What it does with its own failures is its own
/// affair: a flight sees hits and misses.
/// </summary>
internal interface IOuterTier : IAsyncDisposable
{
    CacheTier Tier { get; }

    /// <summary>Whether values of that policy may live here.</summary>
    bool Holds(EntryPolicy policy);

    /// <summary>True: header and bytes were written. False: nothing was.</summary>
    ValueTask<bool> TryReadAsync(CacheKey key, BodyWriter to, CancellationToken cancellationToken);

    /// <summary>Offers the complete value of a flight and returns at once; the tier takes a reference to its body for as long as it writes.</summary>
    void Offer(Flight flight, TimeSpan madeIn);

    /// <summary>Forgets it, also where a write of it is under way.</summary>
    ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken);
}
