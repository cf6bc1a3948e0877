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

    /// <summary>By state (twice the index, plus the more probable symbol): Qe, then the states that follow the more and the less probable symbol.</summary>
    public static readonly uint[] States = MakeStates();

    private uint _a, _c;
    private int _count;
    private byte* _next;

    /// <summary>Begins a codeword segment (INITDEC).</summary>
    public MqDecoder(byte* bytes)
    {
        _next = bytes;
        _c = (uint)*bytes << 16;
        ReadByte();
        _c <<= 7;
        _count -= 7;
        _a = 0x8000;
    }

    /// <summary>Decodes a symbol in a context, whose state changes (DECODE).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Decode(byte* context, uint* states)
    {
        uint state = *context, entry = states[state], symbol = state & 1, qe = entry & 0xFFFF;
        _a -= qe;
        if (_c >> 16 < qe)
        {
            if (_a < qe)
            {
                *context = (byte)(entry >> 16);
            }
            else
            {
                symbol ^= 1;
                *context = (byte)(entry >> 24);
            }
            _a = qe;
        }
        else
        {
            _c -= qe << 16;
            if ((_a & 0x8000) != 0) return symbol;
            if (_a < qe)
            {
                symbol ^= 1;
                *context = (byte)(entry >> 24);
            }
            else
            {
                *context = (byte)(entry >> 16);
            }
        }

        do
        {
            if (_count == 0) ReadByte();
            _a <<= 1;
            _c <<= 1;
            _count--;
        }
        while (_a < 0x8000);
        return symbol;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReadByte()
    {
        if (*_next == 0xFF)
        {
            if (_next[1] > 0x8F)
            {
                _c += 0xFF00;
                _count = 8;
            }
            else
            {
                _c += (uint)*++_next << 9;
                _count = 7;
            }
        }
        else
        {
            _c += (uint)*++_next << 8;
            _count = 8;
        }
    }

    private static uint[] MakeStates()
    {
        var states = GC.AllocateArray<uint>(2 * Probabilities.Length, pinned: true);
        for (var i = 0; i < Probabilities.Length; i++)
        {
            var switches = i is 0 or 6 or 14;
            for (uint symbol = 0; symbol < 2; symbol++)
            {
                var less = 2u * AfterLess[i] + (switches ? 1 - symbol : symbol);
                states[2 * i + symbol] = Probabilities[i] | (2u * AfterMore[i] + symbol) << 16 | less << 24;
            }
        }
        return states;
    }
}
