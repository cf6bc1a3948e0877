using System.Buffers;

namespace Platform.Nifti.Values;

/// <summary>Cuts a stream of chunks into whole voxels in the machine's byte order, for an accumulator. Owns one pooled buffer.</summary>
internal sealed class NumberReader(NiftiHeader header, ValueAccumulator accumulator) : IDisposable
{
    private const int BufferBytes = 64 << 10;
    private readonly bool _isForeign = header.IsBigEndian == BitConverter.IsLittleEndian && header.DataType.BytesPerNumber() > 1;
    private readonly int _numberBytes = header.DataType.BytesPerNumber();
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _kept;

    public void Add(ReadOnlySpan<byte> chunk)
    {
        var buffer = _buffer ?? throw new ObjectDisposedException(nameof(NumberReader));
        var unit = accumulator.UnitBytes;
        while (!chunk.IsEmpty)
        {
            // Straight from the chunk, where nothing is left over and nothing has to be turned around.
            if (_kept == 0 && !_isForeign && chunk.Length >= unit)
            {
                var whole = chunk.Length / unit * unit;
                accumulator.Add(chunk[..whole]);
                chunk = chunk[whole..];
                continue;
            }
            var taken = Math.Min(chunk.Length, (_kept > 0 && !_isForeign ? unit : BufferBytes) - _kept);
            chunk[..taken].CopyTo(buffer.AsSpan(_kept));
            chunk = chunk[taken..];
            _kept += taken;
            var ready = _kept / unit * unit;
            if (ready == 0) continue;
            if (_isForeign) ByteOrder.Reverse(buffer.AsSpan(0, ready), buffer.AsSpan(0, ready), _numberBytes);
            accumulator.Add(buffer.AsSpan(0, ready));
            buffer.AsSpan(ready, _kept - ready).CopyTo(buffer);
            _kept -= ready;
        }
    }

    public void Dispose()
    {
        if (_buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }
}
