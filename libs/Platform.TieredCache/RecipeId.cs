using System.Buffers.Binary;

namespace Platform.TieredCache;

/// <summary>
/// How a value was made from its content: the name of the maker, its output version and its canonical parameters,
/// as 128 bits of their SHA-256. The default value is <see cref="AsStored"/>. When the bytes that a recipe gives
/// change, its version must change with them.
/// </summary>
public readonly record struct RecipeId
{
    private readonly ulong _high, _low;

    private RecipeId(ulong high, ulong low) => (_high, _low) = (high, low);

    /// <summary>The bytes as the origin has them.</summary>
    public static RecipeId AsStored => default;

    internal ulong Low => _low;

    /// <summary>The recipe of a maker without parameters. Make it once and keep it in a static field.</summary>
    public static RecipeId Of(ReadOnlySpan<char> name, int version) => Of(name, version, []);

    /// <summary>
    /// The recipe of a maker with parameters in a canonical form: equal parameters must be equal bytes.
    /// </summary>
    public static RecipeId Of(ReadOnlySpan<char> name, int version, ReadOnlySpan<byte> parameters)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "recipe1"u8);
        builder.Add(name);
        builder.Add(version);
        builder.Add(parameters);
        Span<byte> digest = stackalloc byte[Digest256.Size];
        builder.Finish().CopyTo(digest);
        return new RecipeId(BinaryPrimitives.ReadUInt64BigEndian(digest), BinaryPrimitives.ReadUInt64BigEndian(digest[8..]));
    }

    internal const int Size = 16;

    internal static RecipeId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    internal void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{_high:x16}{_low:x16}";
}
