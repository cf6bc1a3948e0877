using System.Numerics;

namespace Platform.Codecs.Htj2k;

/// <summary>The adaptive run-length coder MEL (T.814 7.3.3): events, most of them zero.</summary>
internal unsafe ref struct MelDecoder
{
    /// <summary>T.814 table 2.</summary>
    public static ReadOnlySpan<byte> Exponents => [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

    private const int EndlessRun = 1 << 16; // more than a block has quads: the stream ran into its filling

    private readonly byte* _end;
    private byte* _next;
    private ulong _buffer;  // the next bits, the first one highest
    private int _bits;
    private bool _isShort;
    private int _state;
    private int _run;       // events that are zero before the next one that is not

    /// <param name="start">The first byte.</param>
    /// <param name="end">The byte after the last, whose lower four bits are not MEL's and count as ones.</param>
    public MelDecoder(byte* start, byte* end)
    {
        _next = start;
        _end = end;
        _run = ReadRun();
    }

    public bool ReadEvent()
    {
        if (_run-- > 0) return false;
        _run = ReadRun();
        return true;
    }

    private int ReadRun()
    {
        var run = 0;
        while (true)
        {
            if (_bits < 6) Fill();
            int exponent = Exponents[_state];
            if ((long)_buffer < 0)
            {
                run += 1 << exponent;
                _buffer <<= 1;
                _bits--;
                if (_state < 12) _state++;
                if (run >= EndlessRun) return run;
            }
            else
            {
                run += (int)((_buffer << 1) >> 1 >> (63 - exponent));
                _buffer <<= 1 + exponent;
                _bits -= 1 + exponent;
                if (_state > 0) _state--;
                return run;
            }
        }
    }

    private void Fill()
    {
        while (_bits <= 48)
        {
            uint value = 0xFF; // T.814 7.1.3: ones without end
            if (_next < _end)
            {
                value = *_next++;
                if (_next == _end) value |= 0x0F;
            }
            if (_isShort) value &= 0x7F;
            var count = _isShort ? 7 : 8;
            _isShort = value == 0xFF;
            _buffer |= (ulong)value << (64 - _bits - count);
            _bits += count;
        }
    }
}
