using System.Buffers;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>A growing buffer from the shared pool, up to a bound; what is not taken goes back when it is disposed.</summary>
/// <param name="maxBytes">The most that may be written.</param>
/// <param name="expectedBytes">What will probably be written: one piece from the beginning.</param>
internal sealed class PooledWriter(long maxBytes, long expectedBytes = 0) : IBufferWriter<byte>, IDisposable
{
    private byte[] _buffer = [];
    private int _length;

    public int Length => _length;

    /// <summary>Until the next write, or until it is disposed.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_buffer.Length - _length));
        _length += count;
        if (_length > maxBytes) throw new EntryTooLargeException(maxBytes);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    /// <summary>Hands the buffer over to the caller, who returns it to the shared pool.</summary>
    public (byte[] Rented, int Length) Take()
    {
        var taken = (_buffer, _length);
        (_buffer, _length) = ([], 0);
        return taken;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = ([], 0);
    }

    private void Reserve(int sizeHint)
    {
        var needed = Math.Max(1, sizeHint);
        if (_buffer.Length - _length >= needed) return;
        var least = (long)_length + needed;
        var wanted = Math.Max(least, _length == 0 ? Math.Min(Math.Max(expectedBytes, 4096), maxBytes) : 2L * _length);
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, wanted));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
