using System.Buffers;

namespace Platform.Codecs;

/// <summary>Bytes rented from the shared pool for the length of one call; the one who made it disposes it.</summary>
internal readonly ref struct PooledBytes
{
    private readonly byte[]? _rented;

    private PooledBytes(byte[]? rented, Span<byte> span)
    {
        _rented = rented;
        Span = span;
    }

    public Span<byte> Span { get; }

    /// <summary><paramref name="length"/> bytes, all zero.</summary>
    public static PooledBytes Zeroed(int length)
    {
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var span = rented.AsSpan(0, length);
        span.Clear();
        return new PooledBytes(rented, span);
    }

    /// <summary><paramref name="length"/> bytes of whatever was there before: all of them have to be written before any is read.</summary>
    public static PooledBytes Rent(int length)
    {
        var rented = ArrayPool<byte>.Shared.Rent(length);
        return new PooledBytes(rented, rented.AsSpan(0, length));
    }

    /// <summary>The sequence in one piece: as it lies where it is one piece already, else a copy.</summary>
    public static PooledBytes Contiguous(in ReadOnlySequence<byte> sequence, out ReadOnlySpan<byte> bytes)
    {
        if (sequence.IsSingleSegment)
        {
            bytes = sequence.FirstSpan;
            return default;
        }

        if (sequence.Length > Array.MaxLength) throw new InvalidFrameException("The encoded frame is longer than 2 GB.");
        var rented = ArrayPool<byte>.Shared.Rent((int)sequence.Length);
        sequence.CopyTo(rented);
        bytes = rented.AsSpan(0, (int)sequence.Length);
        return new PooledBytes(rented, default);
    }

    public void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
    }
}
