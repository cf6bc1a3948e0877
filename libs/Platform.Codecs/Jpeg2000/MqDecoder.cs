using System.Numerics;
using System.Runtime.CompilerServices;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// The arithmetic decoder (T.800 annex C.3). The bytes are followed by two of 0xFF, which stand for ones without end. A struct of four
/// fields with inlined methods, so that a copy in a local lives in registers.
/// </summary>
internal unsafe struct MqDecoder
{
    /// <summary>Bytes of 0xFF that have to follow a codeword segment.</summary>
    public const int Sentinel = 2;

    // Table C.2: Qe, next index after the more and the less probable symbol, whether the sense of the symbols changes.
    private static ReadOnlySpan<ushort> Probabilities =>
    [
        0x5601, 0x3401, 0x1801, 0x0AC1, 0x0521, 0x0221, 0x5601, 0x5401, 0x4801, 0x3801, 0x3001, 0x2401, 0x1C01, 0x1601, 0x5601, 0x5401,
        0x5101, 0x4801, 0x3801, 0x3401, 0x3001, 0x2801, 0x2401, 0x2201, 0x1C01, 0x1801, 0x1601, 0x1401, 0x1201, 0x1101, 0x0AC1, 0x09C1,
        0x08A1, 0x0521, 0x0441, 0x02A1, 0x0221, 0x0141, 0x0111, 0x0085, 0x0049, 0x0025, 0x0015, 0x0009, 0x0005, 0x0001, 0x5601,
    ];

    private static ReadOnlySpan<byte> AfterMore =>
    [
        1, 2, 3, 4, 5, 38, 7, 8, 9, 10, 11, 12, 13, 29, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 45, 46,
    ];

    private static ReadOnlySpan<byte> AfterLess =>
    [
        1, 6, 9, 12, 29, 33, 6, 14, 14, 14, 17, 18, 20, 21, 14, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 46,
    ];

    /// <summary>
    /// By state (twice the index, plus the more probable symbol): the state itself, those that follow the more and the less probable symbol, in
    /// a byte each from the lowest; Qe from bit 47 on.
    /// </summary>
    public static readonly long[] States = MakeStates();

    // The interval and the code register, scaled so that the 16 bits of the standard's A and Chigh lie from bit 47 on: signs of differences are
    // masks, and the bits below are those that are still to come.
    private const int Scale = 47, MostShift = 15;

    private long _a, _c;
    private int _count;     // bits to come that are in the register; at least MostShift between symbols
    private byte* _next;

    /// <summary>Begins a codeword segment (INITDEC).</summary>
    public MqDecoder(byte* bytes)
    {
        _next = bytes;
        _c = (long)*bytes << (Scale + 7);
        _count = -7;
        _a = 0x8000L << Scale;
        ReadBytes();
    }

    /// <summary>
    /// Decodes a symbol in a context, whose state changes (DECODE). Without a branch on what is decoded: symbols are hard to foretell, and a
    /// mistaken branch costs more than all of this.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Decode(byte* context, long* states)
    {
        int state = *context;
        var entry = states[state];
        var qe = entry & ~0xFFFFFFL;
        var a = _a - qe;
        var c = _c - qe;
        var isLower = c >> 63;                      // all ones where the code lies in the lower part: all below has masks instead of conditions
        var isLess = (a - qe) >> 63 ^ isLower;      // the less probable symbol: the parts have changed places where the upper is the smaller
        a ^= (a ^ qe) & isLower;
        c += qe & isLower;
        var shift = BitOperations.LeadingZeroCount((ulong)a) - 1;
        *context = (byte)(entry >> (((shift + 15) >> 1 & 8) + ((int)isLess & 8)));  // the state stays where nothing is shifted
        _a = a << shift;
        _c = c << shift;
        _count -= shift;
        if (_count < MostShift) ReadBytes();
        return state & 1 ^ (int)isLess & 1;
    }

    // BYTEIN, for as many bytes as fit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReadBytes()
    {
        do
        {
            if (*_next != 0xFF)
            {
                _count += 8;
                _c += (long)*++_next << (Scale - _count);
            }
            else if (_next[1] <= 0x8F)
            {
                _count += 7;
                _c += (long)*++_next << (Scale - _count);
            }
            else
            {
                _count += 8;
                _c += 0xFFL << (Scale - _count);
            }
        }
        while (_count < 32);
    }

    private static long[] MakeStates()
    {
        var states = GC.AllocateArray<long>(2 * Probabilities.Length, pinned: true);
        for (var i = 0; i < Probabilities.Length; i++)
        {
            var switches = i is 0 or 6 or 14;
            for (var symbol = 0; symbol < 2; symbol++)
            {
                var less = 2 * AfterLess[i] + (switches ? 1 - symbol : symbol);
                states[2 * i + symbol] = (long)Probabilities[i] << Scale | (long)less << 16 | (long)(2 * AfterMore[i] + symbol) << 8 | (uint)(2 * i + symbol);
            }
        }
        return states;
    }
}
