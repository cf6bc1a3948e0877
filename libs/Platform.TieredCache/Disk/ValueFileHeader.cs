using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Platform.TieredCache;

/// <summary>
/// What stands before the chunks of a value file. Its size depends on nothing that is learnt while the value is written, so that it can be
/// written again in place when length and digest are known. README.md beside this file has the layout.
/// </summary>
internal sealed record ValueFileHeader
{
    public const int MaxSize = 8 << 10;
    private const int FixedSize = 68 + CacheKey.Size + 2 * Digest256.Size + Digest256.Size, ChecksumSeed = 0x50545631;
    private static ReadOnlySpan<byte> Magic => "PTV1"u8;

    public required CacheKey Key { get; init; }

    /// <summary>The value's own header. Its length is that of the bytes as readers get them.</summary>
    public required EntryHeader Entry { get; init; }

    /// <summary>Bytes in the chunks, checksums not counted; -1 while they arrive.</summary>
    public long StoredBytes { get; init; } = -1;

    /// <summary>SHA-256 of the bytes in the chunks.</summary>
    public Digest256 StoredDigest { get; init; }

    /// <summary>Seeds the checksums; random.</summary>
    public required ulong Nonce { get; init; }

    /// <summary>The folder's epoch when the making began.</summary>
    public required long Epoch { get; init; }

    /// <summary>The policy's own time to live; null for what its kind or the tier says.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>Whether the chunks hold gzip of the bytes.</summary>
    public bool IsCompressed { get; init; }

    public int Size => FixedSize + 1 + Entry.Tags.Length * CacheTag.Size + 2 + Encoding.UTF8.GetByteCount(Entry.MediaType)
        + 1 + Encoding.UTF8.GetByteCount(Entry.ContentCoding ?? "") + 2 + Entry.Extra.Length + ChunkChecksum.Size;

    /// <summary>The whole file's size.</summary>
    public long FileBytes => Size + ValueFile.StoredSize(StoredBytes);

    public void Write(Span<byte> to)
    {
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Size);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], StoredBytes);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], Entry.Length ?? -1);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Entry.MadeAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], Ttl?.Ticks ?? 0);
        BinaryPrimitives.WriteInt64LittleEndian(to[48..], Epoch);
        BinaryPrimitives.WriteInt32LittleEndian(to[56..], IsCompressed ? 1 : 0);
        to[60..68].Clear();
        var at = 68;
        Key.CopyTo(to[at..]);
        at += CacheKey.Size;
        StoredDigest.CopyTo(to[at..]);
        Entry.BodyDigest.CopyTo(to[(at + 32)..]);
        Entry.PixelDigest.CopyTo(to[(at + 64)..]);
        at += 96;
        to[at++] = (byte)Entry.Tags.Length;
        foreach (var tag in Entry.Tags)
        {
            tag.CopyTo(to[at..]);
            at += CacheTag.Size;
        }

        var length = Encoding.UTF8.GetBytes(Entry.MediaType, to[(at + 2)..]);
        BinaryPrimitives.WriteUInt16LittleEndian(to[at..], (ushort)length);
        at += 2 + length;
        length = Encoding.UTF8.GetBytes(Entry.ContentCoding ?? "", to[(at + 1)..]);
        to[at] = (byte)length;
        at += 1 + length;
        BinaryPrimitives.WriteUInt16LittleEndian(to[at..], (ushort)Entry.Extra.Length);
        Entry.Extra.Span.CopyTo(to[(at + 2)..]);
        at += 2 + Entry.Extra.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(to[at..], ChunkChecksum.Compute(to[..at], ChecksumSeed));
    }

    /// <summary>Reads the header of a finished file; false when it is damaged or of another version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, [NotNullWhen(true)] out ValueFileHeader? header)
    {
        header = null;
        if (from.Length < FixedSize || !from.StartsWith(Magic)) return false;
        var size = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        if (size is < FixedSize or > MaxSize || size > from.Length) return false;
        var checkedBytes = from[..(size - ChunkChecksum.Size)];
        if (BinaryPrimitives.ReadUInt64LittleEndian(from[checkedBytes.Length..]) != ChunkChecksum.Compute(checkedBytes, ChecksumSeed)) return false;
        // The checksum has matched: what follows was written by Write, and is still read with care.
        try
        {
            header = Read(checkedBytes);
            return header.Size == size && header.StoredBytes >= 0 && header.Entry.Length >= 0 && (header.IsCompressed || header.StoredBytes == header.Entry.Length);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or IndexOutOfRangeException)
        {
            header = null;
            return false;
        }
    }

    private static ValueFileHeader Read(ReadOnlySpan<byte> from)
    {
        var at = 68 + CacheKey.Size;
        var (stored, body, pixels) = (new Digest256(from.Slice(at, 32)), new Digest256(from.Slice(at + 32, 32)), new Digest256(from.Slice(at + 64, 32)));
        at += 96;
        var tags = ImmutableArray.CreateBuilder<CacheTag>(from[at]);
        var count = from[at++];
        for (; count > 0; count--, at += CacheTag.Size) tags.Add(CacheTag.Read(from.Slice(at, CacheTag.Size)));
        int length = BinaryPrimitives.ReadUInt16LittleEndian(from[at..]);
        var mediaType = Encoding.UTF8.GetString(from.Slice(at + 2, length));
        at += 2 + length;
        length = from[at];
        var coding = length == 0 ? null : Encoding.UTF8.GetString(from.Slice(at + 1, length));
        at += 1 + length;
        length = BinaryPrimitives.ReadUInt16LittleEndian(from[at..]);
        var ttl = BinaryPrimitives.ReadInt64LittleEndian(from[40..]);
        var header = new ValueFileHeader
        {
            Key = CacheKey.Read(from[68..]),
            Entry = new EntryHeader(mediaType)
            {
                ContentCoding = coding,
                Length = BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
                MadeAt = new DateTimeOffset(BinaryPrimitives.ReadInt64LittleEndian(from[32..]), TimeSpan.Zero),
                BodyDigest = body,
                PixelDigest = pixels,
                Tags = tags.MoveToImmutable(),
                Extra = from.Slice(at + 2, length).ToArray(),
            },
            StoredBytes = BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            StoredDigest = stored,
            Nonce = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
            Epoch = BinaryPrimitives.ReadInt64LittleEndian(from[48..]),
            Ttl = ttl == 0 ? null : TimeSpan.FromTicks(ttl),
            IsCompressed = (from[56] & 1) != 0,
        };
        header.Entry.Validate();
        return header;
    }
}
