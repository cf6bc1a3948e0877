using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// Reads bits of an <see cref="EntropySegment"/>, highest first. Zeros follow its end without end: whoever reads asks
/// <see cref="IsCutOff"/> after each block or row, so a stream that is cut off ends in an exception, not in grey. A struct of four
/// fields with inlined methods, so that a copy in a local lives in registers.
/// </summary>
internal unsafe struct EntropyReader
{
    /// <summary>Zero bytes that have to follow the end.</summary>
    public const int Padding = 16;

    private const int Beyond = 64;

    private readonly byte* _end;
    private byte* _next;
    private ulong _bits;   // left-aligned
    private int _count;    // bits in it that count as read

    public EntropyReader(byte* start, byte* end)
    {
        _next = start;
        _end = end;
    }

    /// <summary>The bits that come next, highest first; 32 of them at least after <see cref="Fill"/>.</summary>
    public readonly ulong Bits => _bits;

    /// <summary>Whether more bits were taken than there are.</summary>
    public readonly bool IsCutOff => 8 * (_next - _end) > _count;

    /// <summary>Whole bytes that were not taken; negative beyond the end.</summary>
    public readonly long BytesLeft => _end - _next + (_count >> 3);

    /// <summary>Makes at least 32 bits ready: two codes, or a code and the bits that follow it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill()
    {
        if (_count >= 32) return;
        if (_next > _end + 4)
        {
            // At least four whole bytes beyond the end were taken.
            _next = _end + Beyond;
            _count += 32;
            return;
        }
        _bits |= BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(_next)) >> _count;
        var bytes = (63 - _count) >> 3;
        _next += bytes;
        _count += 8 * bytes;
    }

    /// <summary>Takes bits that were looked at, 0 to 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        _bits <<= count;
        _count -= count;
    }

    /// <summary>Takes <paramref name="count"/> bits, 0 to 16, as an unsigned number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Read(int count)
    {
        Fill();
        var value = (int)(_bits >> 1 >> (63 - count));
        Skip(count);
        return value;
    }

    /// <summary>
    /// The symbol at the reader, with the bits that follow it taken too: as <see cref="HuffmanTable.Find"/> tells, 0 where no code
    /// stands. Their value is <see cref="Extend"/> of the bits before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Decode(HuffmanTable table, out ulong bits)
    {
        Fill();
        bits = _bits;
        var entry = table.Find(bits);
        Skip((int)(entry & 0xFF));
        return entry;
    }

    /// <summary>The signed number of a category's bits behind a code (T.81 F.2.2.1, EXTEND).</summary>
    /// <param name="bits">From the code's first bit.</param>
    /// <param name="length">The code's length.</param>
    /// <param name="category">0 to 16 bits.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Extend(ulong bits, int length, int category)
    {
        var value = (int)(bits << length >> 1 >> (63 - category));
        // Below half of the range: the negative numbers.
        return value + (((value << 1) - (1 << category)) >> 31 & (1 - (1 << category)));
    }
}
