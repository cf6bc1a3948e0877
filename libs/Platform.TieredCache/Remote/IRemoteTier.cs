using System.Buffers;

namespace Platform.TieredCache;

/// <summary>
/// A tier shared between nodes. Never in the way: every call ends within the tier's own deadline and never throws for
/// the tier's failure; it says what happened instead.
/// </summary>
public interface IRemoteTier : IAsyncDisposable
{
    /// <summary>
    /// Reads a value into <paramref name="to"/>. <see cref="CacheResult.Hit"/>: header and all bytes were written, and
    /// their digest was checked before the first of them. Anything else: nothing was written.
    /// </summary>
    ValueTask<RemoteRead> TryReadAsync(CacheKey key, EntryWriter to, CancellationToken cancellationToken);

    /// <summary>
    /// Offers a complete value. Dropped where it is too large, the tier is unwell, or the value was removed or its tag
    /// invalidated since its making began, <paramref name="madeIn"/> ago.
    /// </summary>
    ValueTask<CacheResult> WriteAsync(CacheKey key, EntryHeader header, ReadOnlySequence<byte> bytes, TimeSpan madeIn, CancellationToken cancellationToken);

    /// <summary>Forgets a value; while the tier cannot be reached the wish is remembered, and reads miss until it was done.</summary>
    ValueTask RemoveAsync(CacheKey key, CancellationToken cancellationToken);

    /// <summary>Forgets all values with the tag, with the same promise.</summary>
    ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken);
}

/// <summary>How a remote read went.</summary>
/// <param name="Result">Hit, miss, bypass (the tier is unwell and was not asked) or error.</param>
/// <param name="IsCorrupt">A value was there and did not match its digest or key; it was not served.</param>
public readonly record struct RemoteRead(CacheResult Result, bool IsCorrupt = false);
