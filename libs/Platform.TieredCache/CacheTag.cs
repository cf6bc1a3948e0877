using System.Buffers.Binary;

namespace Platform.TieredCache;

/// <summary>
/// Names a group of values that become wrong together (those of a series, of an origin). 128 bits of a SHA-256, so
/// that no identifier of a patient's study stands in a key.
/// </summary>
public readonly record struct CacheTag
{
    private readonly ulong _high, _low;

    private CacheTag(ulong high, ulong low) => (_high, _low) = (high, low);

    internal const int Size = 16;

    /// <summary>The tag of a thing: <paramref name="scope"/> says of what sort ("series", "origin"), <paramref name="name"/> which.</summary>
    public static CacheTag Of(ReadOnlySpan<char> scope, ReadOnlySpan<char> name)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "tag1"u8);
        builder.Add(scope);
        builder.Add(name);
        Span<byte> digest = stackalloc byte[Digest256.Size];
        builder.Finish().CopyTo(digest);
        return Read(digest);
    }

    internal static CacheTag Read(ReadOnlySpan<byte> bytes)
        => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    internal void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{_high:x16}{_low:x16}";
}
