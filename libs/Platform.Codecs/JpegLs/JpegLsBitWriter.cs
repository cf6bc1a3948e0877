using System.Runtime.CompilerServices;

namespace Platform.Codecs.JpegLs;

/// <summary>Writes bits, highest first, and a zero bit after each byte 0xFF (T.87 A.1).</summary>
internal ref struct JpegLsBitWriter
{
    private ulong _bits;      // left-aligned, not yet written
    private int _count;
    private bool _follows;    // the last byte was 0xFF: the next has seven bits of ours

    /// <summary>Where bytes go; the caller makes room before each line.</summary>
    public Span<byte> Target;

    /// <summary>Bytes written to <see cref="Target"/>.</summary>
    public int Length;

    /// <summary>Adds bits, 0 to 32 of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(uint value, int count)
    {
        if (count == 0) return;
        _bits |= (ulong)value << (64 - count) >> _count;
        _count += count;
        if (_count >= 32) Drain();
    }

    /// <summary>Adds a code of the limited-length Golomb code LG(k, limit) (A.5.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteGolomb(int mapped, int k, int limit, int quantizedBits)
    {
        var zeros = mapped >> k;
        var longest = limit - quantizedBits - 1;
        if (zeros < longest)
        {
            if (zeros + 1 + k <= 32)
            {
                Write((1u << k) | ((uint)mapped & ((1u << k) - 1)), zeros + 1 + k);
                return;
            }

            WriteZeros(zeros);
            Write((1u << k) | ((uint)mapped & ((1u << k) - 1)), 1 + k);
            return;
        }

        WriteZeros(longest);
        Write(1, 1);
        Write((uint)(mapped - 1), quantizedBits);
    }

    /// <summary>Fills the last byte with zeros; where that byte is 0xFF its stuffed bit is added too.</summary>
    public void Finish()
    {
        while (_count > 0) Put();
        if (_follows) Put();
    }

    private void WriteZeros(int count)
    {
        for (; count > 32; count -= 32) Write(0, 32);
        Write(0, count);
    }

    private void Drain()
    {
        while (_count >= 8) Put();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put()
    {
        var bits = _follows ? 7 : 8;
        var value = (byte)(_bits >> (64 - bits));
        Target[Length++] = value;
        _follows = value == 0xFF;
        _bits <<= bits;
        _count = Math.Max(0, _count - bits);
    }
}
