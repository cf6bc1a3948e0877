using System.Collections.Immutable;

namespace Platform.TieredCache;

/// <summary>What is known of a value beside its bytes. Immutable; kept with the value in every tier.</summary>
public sealed record EntryHeader
{
    /// <summary>The header of a value of this media type; parameters such as <c>transfer-syntax</c> belong to it.</summary>
    public EntryHeader(string mediaType) => MediaType = mediaType;

    /// <summary>The media type as an answer carries it, at most 512 characters.</summary>
    public string MediaType { get; init; }

    /// <summary>The content coding of the bytes ("gzip", "br"), or null.</summary>
    public string? ContentCoding { get; init; }

    /// <summary>
    /// The number of bytes. A maker that knows it says so, and fails if it then writes another number; it is always
    /// known once the value is complete.
    /// </summary>
    public long? Length { get; init; }

    /// <summary>SHA-256 of the bytes, learnt while they were written where the policy asks for it.</summary>
    public Digest256 BodyDigest { get; init; }

    /// <summary>The digest of the decoded pixels, equal for every lossless encoding of a frame; none where unknown.</summary>
    public Digest256 PixelDigest { get; init; }

    /// <summary>When the value was made; set by the cache when the maker leaves it.</summary>
    public DateTimeOffset MadeAt { get; init; }

    /// <summary>What makes this value wrong when it changes; at most 16.</summary>
    public ImmutableArray<CacheTag> Tags { get; init; } = [];

    /// <summary>What the slice that made the value wants to find beside it, at most 4 KB; the cache does not read it.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    internal const int MaxMediaTypeLength = 512, MaxTags = 16, MaxExtraBytes = 4096;

    internal void Validate()
    {
        if (string.IsNullOrEmpty(MediaType) || MediaType.Length > MaxMediaTypeLength) throw new ArgumentException("A media type has 1 to 512 characters.");
        if (ContentCoding?.Length > 32) throw new ArgumentException("A content coding has at most 32 characters.");
        if (Length < 0) throw new ArgumentException("A length is not negative.");
        if (Tags.IsDefault || Tags.Length > MaxTags) throw new ArgumentException("A value has at most 16 tags.");
        if (Extra.Length > MaxExtraBytes) throw new ArgumentException("A header carries at most 4 KB of its maker's data.");
    }
}
