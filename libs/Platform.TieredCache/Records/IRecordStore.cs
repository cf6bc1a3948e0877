using System.Collections.Immutable;

namespace Platform.TieredCache;

/// <summary>
/// Small mutable records beside the immutable values: freshness, variants, negative answers. Kept on disk beside the
/// values where there is a disk tier, the hot ones in memory; bounded, so a record may be gone at any time, and a damaged
/// one is. The processes of one folder share them. Thread-safe. Tiers' failures are misses, never exceptions.
/// </summary>
public interface IRecordStore
{
    /// <summary>The record, or null where there is none, it has expired, or its tag was invalidated.</summary>
    ValueTask<CacheRecord?> ReadAsync(Digest256 key, CancellationToken cancellationToken);

    /// <summary>
    /// Puts a record in the place of the one that was read as <paramref name="expectedVersion"/> (0: there must be none). False:
    /// someone was faster; read again. The stored record gets a version that this key never had; the one given is not looked at.
    /// </summary>
    /// <exception cref="ArgumentException">The value has more than <see cref="CacheRecord.MaxValueBytes"/> or more than 16 tags.</exception>
    ValueTask<bool> TryReplaceAsync(Digest256 key, long expectedVersion, CacheRecord record, CancellationToken cancellationToken);

    /// <summary>Removes the record that was read as <paramref name="expectedVersion"/>. False: it has changed since, or there is none.</summary>
    ValueTask<bool> TryRemoveAsync(Digest256 key, long expectedVersion, CancellationToken cancellationToken);

    /// <summary>Forgets the records that carry the tag. <see cref="ITieredCache.InvalidateAsync"/> does this too.</summary>
    ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken);
}

/// <summary>One record. Immutable: its value must not be written to after it was given to a store or came from one.</summary>
public sealed record CacheRecord
{
    /// <summary>The most bytes of a value.</summary>
    public const int MaxValueBytes = 64 << 10;

    /// <summary>What the caller keeps in it.</summary>
    public required ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Set by the store; positive, larger with every change of the key.</summary>
    public long Version { get; init; }

    /// <summary>What makes it wrong when it changes; at most 16.</summary>
    public ImmutableArray<CacheTag> Tags { get; init; } = [];

    /// <summary>When it is forgotten; null: when there is no room.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
