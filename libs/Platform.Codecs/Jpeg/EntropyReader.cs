using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// Reads bits of entropy-coded data, highest first, taking out stuffed zero bytes and stopping in front of a marker (T.81 F.2.2.5).
/// Bits beyond the end can be looked at, as zeros, but not taken: a stream that is cut off ends in an exception, not in grey.
/// </summary>
internal ref struct EntropyReader(ReadOnlySpan<byte> data, int position)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private ulong _bits;   // left-aligned
    private int _count;    // bits in it that come from the stream
    private int _position = position;

    /// <summary>About where the reader stands, in bytes from the start of the frame.</summary>
    public readonly int Position => _position;

    /// <summary>Makes at least 48 bits ready where the stream has that many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill()
    {
        if (_count < 48) FillSlow();
    }

    private void FillSlow()
    {
        if (_data.Length - _position >= 8)
        {
            var next = BinaryPrimitives.ReadUInt64BigEndian(_data[_position..]);
            // No byte is 0xFF when no byte of the complement is zero.
            var complement = ~next;
            if (((complement - 0x0101010101010101) & ~complement & 0x8080808080808080) == 0)
            {
                var bytes = (64 - _count) >> 3;
                _bits |= bytes == 8 ? next : next >> (64 - 8 * bytes) << (64 - 8 * bytes - _count);
                _count += 8 * bytes;
                _position += bytes;
                return;
            }
        }

        while (_count <= 56 && _position < _data.Length)
        {
            var value = _data[_position];
            if (value == 0xFF)
            {
                if (_position + 1 >= _data.Length || _data[_position + 1] != 0) return; // a marker
                _position++;
            }
            _position++;
            _bits |= (ulong)value << (56 - _count);
            _count += 8;
        }
    }

    /// <summary>The next <paramref name="count"/> bits, 1 to 16, after <see cref="Fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Peek(int count) => (int)(_bits >> (64 - count));

    /// <summary>Takes bits that were looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        _bits <<= count;
        _count -= count;
        if (_count < 0) ThrowCutOff();
    }

    /// <summary>Takes <paramref name="count"/> bits, 0 to 16, as an unsigned number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Read(int count)
    {
        if (count == 0) return 0;
        Fill();
        var value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>Takes a difference of <paramref name="category"/> bits, 0 to 16 (T.81 F.2.2.1, EXTEND).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadExtended(int category)
    {
        if (category == 0) return 0;
        var value = Read(category);
        return value < 1 << (category - 1) ? value - (1 << category) + 1 : value;
    }

    /// <summary>Takes the restart marker that has to stand here (T.81 F.2.2.4).</summary>
    public void ReadRestart(int expected)
    {
        AlignToMarker();
        if (_position + 1 >= _data.Length || _data[_position] != 0xFF || _data[_position + 1] != JpegMarker.Rst0 + (expected & 7))
            throw new InvalidFrameException("A restart marker is missing.", _position);
        _position += 2;
    }

    /// <summary>Drops what is left of the last byte, and fill bytes; the next marker starts at <see cref="Position"/>.</summary>
    public void AlignToMarker()
    {
        if (_count >= 8) throw new InvalidFrameException("Entropy-coded data goes on after the last pixel.", _position);
        _bits = 0;
        _count = 0;
        while (_position + 1 < _data.Length && _data[_position] == 0xFF && _data[_position + 1] == 0xFF) _position++;
    }

    /// <summary>Where the scan ended: at the next marker. Whatever stands between, as some encoders leave, is passed over.</summary>
    public int FindEnd()
    {
        var at = Math.Max(0, _position - (_count >> 3));
        while (at + 1 < _data.Length && !(_data[at] == 0xFF && _data[at + 1] is not (0 or 0xFF) && _data[at + 1] is < JpegMarker.Rst0 or > JpegMarker.Rst7)) at++;
        return at + 1 < _data.Length ? at : _data.Length;
    }

    private readonly void ThrowCutOff() => throw new InvalidFrameException("The entropy-coded data is cut off.", _position);
}
