using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// What stands before a value's bytes in an object store: magic, length of the header, when the value expires, how long its making took (both in ms), SHA-256
/// of these two, then the header as Redis has it, which holds key, length and SHA-256 of the bytes. A value that was cut, altered, or stored under another name does not match.
/// </summary>
internal static class ObjectEntryFormat
{
    private static ReadOnlySpan<byte> Magic => "PTO1"u8;

    private const int HeaderLengthAt = 4, TimesAt = 8, DigestAt = 24, HeaderAt = DigestAt + Digest256.Size;

    /// <summary>The most that stands before the bytes.</summary>
    public const int MaxHeadBytes = 8 << 10;

    public static byte[] WriteHead(CacheKey key, EntryHeader header, DateTimeOffset expiresAt, TimeSpan madeIn)
    {
        var headerBytes = RedisEntryFormat.Write(key, header);
        var head = new byte[HeaderAt + headerBytes.Length];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(HeaderLengthAt), headerBytes.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(TimesAt), expiresAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(TimesAt + 8), (long)Math.Ceiling(madeIn.TotalMilliseconds));
        SHA256.HashData(head.AsSpan(TimesAt, 16), head.AsSpan(DigestAt));
        headerBytes.CopyTo(head, HeaderAt);
        return head;
    }

    /// <summary>Null when it is not a whole value that was stored under that key.</summary>
    public static ObjectEntry? Read(CacheKey key, ReadOnlyMemory<byte> stored)
    {
        var span = stored.Span;
        if (span.Length < HeaderAt || !span.StartsWith(Magic)) return null;
        var headerLength = BinaryPrimitives.ReadInt32LittleEndian(span[HeaderLengthAt..]);
        if (headerLength < 0 || headerLength > span.Length - HeaderAt) return null;
        Span<byte> digest = stackalloc byte[Digest256.Size];
        SHA256.HashData(span.Slice(TimesAt, 16), digest);
        if (!digest.SequenceEqual(span.Slice(DigestAt, Digest256.Size))) return null;
        if (RedisEntryFormat.Read(key, span.Slice(HeaderAt, headerLength)) is not { } header) return null;
        var bytes = stored[(HeaderAt + headerLength)..];
        if (bytes.Length != header.Length) return null;
        SHA256.HashData(bytes.Span, digest);
        if (new Digest256(digest) != header.BodyDigest) return null;
        var expiresAt = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(span[TimesAt..]));
        return new ObjectEntry(header, bytes, expiresAt, TimeSpan.FromMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(span[(TimesAt + 8)..])));
    }
}

/// <summary>A value as it was found in an object store, its digests checked.</summary>
internal readonly record struct ObjectEntry(EntryHeader Header, ReadOnlyMemory<byte> Bytes, DateTimeOffset ExpiresAt, TimeSpan MadeIn);
