namespace Platform.TieredCache;

/// <summary>
/// Bytes by key: streamed, leased, made once however many ask. Values are immutable once kept. Thread-safe.
/// </summary>
public interface ITieredCache
{
    /// <summary>
    /// The value of <paramref name="key"/>: from the fastest tier that has it, else from <paramref name="make"/>, which
    /// runs once in this process however many callers wait for it. Its token is cancelled when the last of them has
    /// left. When it fails all of them get its exception and nothing is kept. The caller disposes the lease.
    /// </summary>
    /// <param name="key">The name of the value.</param>
    /// <param name="state">Passed to <paramref name="make"/>, so that it can be a static lambda.</param>
    /// <param name="policy">Where the value may live; every caller of a key passes an equal one.</param>
    /// <param name="make">Writes the value. It must not ask the cache for the same key.</param>
    /// <param name="cancellationToken">Ends this caller's waiting, not the work that others wait for.</param>
    ValueTask<CacheLease> GetOrCreateAsync<TState>(CacheKey key, TState state, EntryPolicy policy,
        Func<TState, EntryWriter, CancellationToken, Task> make, CancellationToken cancellationToken);

    /// <summary>The value if a tier on this node has it, else null; neither the network nor a maker is asked.</summary>
    ValueTask<CacheLease?> TryGetAsync(CacheKey key, CancellationToken cancellationToken);

    /// <summary>Forgets a value everywhere; work on it that is under way keeps nothing, and later callers do not join it.</summary>
    ValueTask RemoveAsync(CacheKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets every value that carries the tag. A maker that began before keeps nothing under it, and a caller that
    /// comes after never gets what such a maker makes.
    /// </summary>
    ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken);

    /// <summary>The policies per kind that are in force; <see cref="ICacheAdministration.ApplyAsync"/> changes them.</summary>
    KindPolicies Kinds { get; }

    /// <summary>Counts since the start, per tier and kind.</summary>
    CacheStatistics GetStatistics();
}
