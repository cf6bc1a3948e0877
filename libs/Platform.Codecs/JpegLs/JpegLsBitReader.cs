using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Platform.Codecs.JpegLs;

/// <summary>
/// Reads bits, highest first, leaving out the zero bit that follows each byte 0xFF, and stopping in front of a marker
/// (T.87 A.1, C.1.1). Bits beyond the end can be looked at, as zeros, but not taken.
/// </summary>
internal ref struct JpegLsBitReader(ReadOnlySpan<byte> data, int position)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _position = position;

    /// <summary>Left-aligned bits that were read ahead.</summary>
    public ulong Bits;

    /// <summary>How many of them come from the stream.</summary>
    public int Count;

    public readonly int Position => _position;

    /// <summary>Makes at least 56 bits ready where the stream has that many.</summary>
    public void Fill()
    {
        if (Count <= 32 && _data.Length - _position >= 4 && (_position == 0 || _data[_position - 1] != 0xFF))
        {
            var next = BinaryPrimitives.ReadUInt32BigEndian(_data[_position..]);
            var complement = ~next;
            if (((complement - 0x01010101) & ~complement & 0x80808080) == 0)
            {
                Bits |= (ulong)next << (32 - Count);
                Count += 32;
                _position += 4;
            }
        }

        while (Count <= 56 && _position < _data.Length)
        {
            var value = _data[_position];
            var follows = _position > 0 && _data[_position - 1] == 0xFF;
            if (value == 0xFF && (_position + 1 >= _data.Length || _data[_position + 1] >= 0x80)) return; // a marker
            _position++;
            if (follows)
            {
                Bits |= (ulong)value << (57 - Count);   // its highest bit is the stuffed one, zero
                Count += 7;
            }
            else
            {
                Bits |= (ulong)value << (56 - Count);
                Count += 8;
            }
        }
    }

    /// <summary>Takes bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        Bits <<= count;
        Count -= count;
        if (Count < 0) ThrowCutOff();
    }

    /// <summary>Takes <paramref name="count"/> bits, 0 to 24.</summary>
    public int Read(int count)
    {
        if (count == 0) return 0;
        if (Count < count) Fill();
        var value = (int)(Bits >> (64 - count));
        Skip(count);
        return value;
    }

    /// <summary>Takes a code of the limited-length Golomb code LG(k, limit) (A.5.3).</summary>
    public int ReadGolomb(int k, int limit, int quantizedBits)
    {
        var longest = limit - quantizedBits - 1;
        var zeros = 0;
        while (true)
        {
            if (Count < 32) Fill();
            if (Count <= 0) ThrowCutOff();
            var here = System.Numerics.BitOperations.LeadingZeroCount(Bits);
            if (here < Count)
            {
                zeros += here;
                Skip(here + 1);
                break;
            }

            zeros += Count;
            if (zeros > longest) break;
            Skip(Count);
        }

        if (zeros > longest) throw new InvalidFrameException("A code is longer than its limit.", _position);
        return zeros < longest ? (zeros << k) | Read(k) : Read(quantizedBits) + 1;
    }

    /// <summary>Where the scan's data ended: the next marker.</summary>
    public readonly int FindEnd()
    {
        var at = Math.Max(0, _position - Count / 7);
        while (at + 1 < _data.Length && !(_data[at] == 0xFF && _data[at + 1] >= 0x80)) at++;
        return at + 1 < _data.Length ? at : _data.Length;
    }

    private readonly void ThrowCutOff() => throw new InvalidFrameException("The entropy-coded data is cut off.", _position);
}
