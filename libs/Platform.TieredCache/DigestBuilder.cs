using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Platform.TieredCache;

/// <summary>
/// Makes a <see cref="Digest256"/> of length-prefixed parts: SHA-256(label, part, part, ...), each part preceded by its
/// length as a 32-bit little endian number, so that no two lists of parts give the same bytes. Allocates nothing while
/// the parts fit into the scratch buffer.
/// </summary>
/// <example><code>
/// var builder = new DigestBuilder(stackalloc byte[256], "c1"u8);
/// builder.Add("folder"u8);
/// builder.Add(42L);
/// Digest256 digest = builder.Finish();
/// </code></example>
public ref struct DigestBuilder
{
    private Span<byte> _buffer;
    private byte[]? _rented;
    private int _length;

    /// <summary>Starts with <paramref name="label"/>, which names the use and its version ("c1", "r1", "px1").</summary>
    public DigestBuilder(Span<byte> scratch, ReadOnlySpan<byte> label)
    {
        _buffer = scratch;
        Add(label);
    }

    /// <summary>Adds a part as it is.</summary>
    public void Add(scoped ReadOnlySpan<byte> part)
    {
        var to = Reserve(part.Length);
        part.CopyTo(to);
    }

    /// <summary>Adds a part as UTF-8.</summary>
    public void Add(scoped ReadOnlySpan<char> part)
    {
        var to = Reserve(Encoding.UTF8.GetByteCount(part));
        Encoding.UTF8.GetBytes(part, to);
    }

    /// <summary>Adds a number as 8 bytes, little endian.</summary>
    public void Add(long part) => BinaryPrimitives.WriteInt64LittleEndian(Reserve(sizeof(long)), part);

    /// <summary>Adds a digest as its 32 bytes.</summary>
    public void Add(Digest256 part) => part.CopyTo(Reserve(Digest256.Size));

    /// <summary>The digest of what was added; the builder is empty afterwards.</summary>
    public Digest256 Finish()
    {
        Span<byte> hash = stackalloc byte[Digest256.Size];
        SHA256.HashData(_buffer[.._length], hash);
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        this = default;
        return new Digest256(hash);
    }

    private Span<byte> Reserve(int length)
    {
        var needed = checked(_length + sizeof(int) + length);
        if (needed > _buffer.Length) Grow(needed);
        BinaryPrimitives.WriteInt32LittleEndian(_buffer[_length..], length);
        var to = _buffer.Slice(_length + sizeof(int), length);
        _length = needed;
        return to;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _buffer.Length * 2));
        _buffer[.._length].CopyTo(larger);
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        _buffer = _rented = larger;
    }
}
