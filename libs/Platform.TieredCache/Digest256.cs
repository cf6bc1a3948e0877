using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// A SHA-256 digest, 32 bytes by value. Equality compares all of them; the default value (all zero) means "none".
/// </summary>
public readonly record struct Digest256
{
    /// <summary>The size of a digest in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a, _b, _c, _d;

    /// <summary>Takes exactly <see cref="Size"/> bytes.</summary>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public Digest256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException("A digest has 32 bytes.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>True for the default value, which no SHA-256 is expected to give.</summary>
    public bool IsNone => (_a | _b | _c | _d) == 0;

    /// <summary>The first 64 bits: uniform where the digest is, so a hash table needs no more.</summary>
    public ulong First64 => _a;

    /// <summary>SHA-256 of <paramref name="bytes"/>, without allocation.</summary>
    public static Digest256 HashData(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(bytes, hash);
        return new Digest256(hash);
    }

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>Reads 64 hexadecimal digits of either case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? hex, out Digest256 digest)
    {
        digest = default;
        if (hex is not { Length: Size * 2 }) return false;
        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(hex, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        digest = new Digest256(bytes);
        return true;
    }

    /// <summary>The first 16 lower-case hexadecimal digits: what versioned URLs carry as <c>v</c>.</summary>
    public string ToShortString() => _a.ToString("x16");

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(_a ^ (_a >> 32));
}
