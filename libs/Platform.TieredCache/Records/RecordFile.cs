using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Platform.TieredCache;

/// <summary>A record as its file holds it. README.md beside this file has the layout.</summary>
internal static class RecordFile
{
    private const int FixedSize = 4 + 4 + 8 + 8 + 8 + Digest256.Size + 1;
    private const ulong Seed = 0x50545231;
    private static ReadOnlySpan<byte> Magic => "PTR1"u8;

    public const int MaxSize = FixedSize + EntryHeader.MaxTags * CacheTag.Size + CacheRecord.MaxValueBytes + ChunkChecksum.Size;

    public static int SizeOf(CacheRecord record) => FixedSize + record.Tags.Length * CacheTag.Size + record.Value.Length + ChunkChecksum.Size;

    public static void Write(Span<byte> to, Digest256 key, CacheRecord record, long epoch)
    {
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], record.Value.Length);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], record.Version);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], record.ExpiresAt?.UtcTicks ?? 0);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], epoch);
        key.CopyTo(to[32..]);
        to[FixedSize - 1] = (byte)record.Tags.Length;
        var at = FixedSize;
        foreach (var tag in record.Tags)
        {
            tag.CopyTo(to[at..]);
            at += CacheTag.Size;
        }

        record.Value.Span.CopyTo(to[at..]);
        at += record.Value.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(to[at..], ChunkChecksum.Compute(to[..at], Seed));
    }

    /// <summary>Null when it is damaged, another key's, or of another version of this format.</summary>
    public static CacheRecord? TryRead(ReadOnlySpan<byte> from, Digest256 key, out long epoch)
    {
        epoch = 0;
        if (from.Length < FixedSize + ChunkChecksum.Size || !from.StartsWith(Magic)) return null;
        var content = from[..^ChunkChecksum.Size];
        if (BinaryPrimitives.ReadUInt64LittleEndian(from[content.Length..]) != ChunkChecksum.Compute(content, Seed)) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        var count = from[FixedSize - 1];
        if (length is < 0 or > CacheRecord.MaxValueBytes || count > EntryHeader.MaxTags || content.Length != FixedSize + count * CacheTag.Size + length) return null;
        if (new Digest256(from.Slice(32, Digest256.Size)) != key) return null;
        var tags = ImmutableArray.CreateBuilder<CacheTag>(count);
        for (var i = 0; i < count; i++) tags.Add(CacheTag.Read(from[(FixedSize + i * CacheTag.Size)..]));
        epoch = BinaryPrimitives.ReadInt64LittleEndian(from[24..]);
        var expires = BinaryPrimitives.ReadInt64LittleEndian(from[16..]);
        return new CacheRecord
        {
            Value = content[^length..].ToArray(),
            Version = BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            Tags = tags.MoveToImmutable(),
            ExpiresAt = expires == 0 ? null : new DateTimeOffset(expires, TimeSpan.Zero),
        };
    }
}
