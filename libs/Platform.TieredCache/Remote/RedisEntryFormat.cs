using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Platform.TieredCache;

/// <summary>
/// The header of a value in Redis: magic, SHA-256 of all that follows, the key, the header's members, among them length
/// and SHA-256 of the bytes. A value that was cut, altered, or stored under another key does not match and is not served.
/// </summary>
internal static class RedisEntryFormat
{
    private static ReadOnlySpan<byte> Magic => "PTC2"u8;

    private const int DigestAt = 4, KeyAt = DigestAt + Digest256.Size, HeaderAt = KeyAt + CacheKey.Size;

    public static byte[] Write(CacheKey key, EntryHeader header)
    {
        var headerBytes = WriteHeader(header);
        var value = new byte[HeaderAt + headerBytes.Length];
        Magic.CopyTo(value);
        key.CopyTo(value.AsSpan(KeyAt));
        headerBytes.CopyTo(value, HeaderAt);
        SHA256.HashData(value.AsSpan(KeyAt), value.AsSpan(DigestAt, Digest256.Size));
        return value;
    }

    /// <summary>Null when it is not what was stored under that key.</summary>
    public static EntryHeader? Read(CacheKey key, ReadOnlySpan<byte> value)
    {
        if (value.Length < HeaderAt || !value.StartsWith(Magic)) return null;
        Span<byte> expected = stackalloc byte[Math.Max(CacheKey.Size, Digest256.Size)];
        SHA256.HashData(value[KeyAt..], expected);
        if (!expected[..Digest256.Size].SequenceEqual(value.Slice(DigestAt, Digest256.Size))) return null;
        key.CopyTo(expected);
        if (!expected[..CacheKey.Size].SequenceEqual(value.Slice(KeyAt, CacheKey.Size))) return null;
        return ReadHeader(value[HeaderAt..]) is { Length: >= 0, BodyDigest.IsNone: false } header ? header : null;
    }

    private static byte[] WriteHeader(EntryHeader header)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        Span<byte> digest = stackalloc byte[Digest256.Size];
        writer.Write(header.MediaType);
        writer.Write(header.ContentCoding ?? "");
        writer.Write(header.Length!.Value);
        header.BodyDigest.CopyTo(digest);
        writer.Write(digest);
        header.PixelDigest.CopyTo(digest);
        writer.Write(digest);
        writer.Write(header.MadeAt.UtcTicks);
        writer.Write((byte)header.Tags.Length);
        foreach (var tag in header.Tags)
        {
            tag.CopyTo(digest);
            writer.Write(digest[..CacheTag.Size]);
        }

        writer.Write(header.Extra.Length);
        writer.Write(header.Extra.Span);
        writer.Flush();
        return stream.ToArray();
    }

    private static EntryHeader? ReadHeader(ReadOnlySpan<byte> bytes)
    {
        // The digest has matched: what follows was written by WriteHeader, of this version or of one this does not know.
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes.ToArray()), Encoding.UTF8);
            var mediaType = reader.ReadString();
            var coding = reader.ReadString();
            var length = reader.ReadInt64();
            var bodyDigest = new Digest256(reader.ReadBytes(Digest256.Size));
            var pixelDigest = new Digest256(reader.ReadBytes(Digest256.Size));
            var madeAt = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
            var tags = ImmutableArray.CreateBuilder<CacheTag>();
            for (var left = reader.ReadByte(); left > 0; left--) tags.Add(CacheTag.Read(reader.ReadBytes(CacheTag.Size)));
            var header = new EntryHeader(mediaType)
            {
                ContentCoding = coding.Length == 0 ? null : coding,
                Length = length,
                BodyDigest = bodyDigest,
                PixelDigest = pixelDigest,
                MadeAt = madeAt,
                Tags = tags.ToImmutable(),
                Extra = reader.ReadBytes(reader.ReadInt32()),
            };
            header.Validate();
            return header;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException)
        {
            return null;
        }
    }
}
