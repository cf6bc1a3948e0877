using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Platform.Codecs.Htj2k;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// Decodes the code-blocks of JPEG 2000 Part 1 (T.800 annex D): significance propagation, magnitude refinement and cleanup, bit-plane by
/// bit-plane, in every code-block style. Has its memory for the longest block; not for concurrent use.
/// </summary>
/// <remarks>
/// A word holds what is known of a column of four samples. From bit 0, three bits for each of six rows, from the one above: whether the samples of
/// three columns are significant. From bit 18, at every third bit: whether a pass has visited the four; from bit 19, whether they were refined. From
/// bit 32, at every third: the signs of the middle column's six samples. So what concerns a row lies 3 bits higher than what concerns the one above,
/// and a set of rows is a mask with a bit at 0, 3, 6, 9.
/// </remarks>
internal sealed unsafe class EbcotBlockDecoder
{
    private const int MaxSamples = 4096, Visited = 18, Refined = 19, Signs = 32;
    private const uint FourRows = 0b001_001_001_001;

    private readonly uint[] _samples = GC.AllocateArray<uint>(2 * MaxSamples + 16, pinned: true);
    private readonly byte[] _contexts = GC.AllocateArray<byte>(EbcotContexts.Count, pinned: true);
    private ulong[] _flags = GC.AllocateArray<ulong>(66 * 18, pinned: true);
    private byte[] _bytes = GC.AllocateArray<byte>(16_384, pinned: true);
    private MqDecoder _mq;
    private RawBits _raw;
    private int _width, _height, _stride, _flagStride;
    private bool _isCausal;
    private byte* _zeroCoding;

    /// <summary>As <see cref="HtBlockDecoder.Samples"/>: sign in the highest bit, the magnitude in halves of the lowest bit-plane, half of what is unknown added.</summary>
    public ReadOnlySpan<uint> Samples => _samples;

    /// <summary>Begins a block: no sample is significant.</summary>
    /// <param name="width">1 to 1,024.</param>
    /// <param name="height">1 to 1,024; at most 4,096 samples.</param>
    /// <param name="orientation">Of the band: 0 LL, 1 HL, 2 LH, 3 HH.</param>
    /// <param name="isCausal">Significance does not spread from the stripe below.</param>
    public void Begin(int width, int height, int orientation, bool isCausal)
    {
        (_width, _height, _stride, _flagStride, _isCausal) = (width, height, HtBlockDecoder.StrideOf(width), width + 2, isCausal);
        var flags = _flagStride * ((height + 3) / 4 + 2);
        if (_flags.Length < flags) _flags = GC.AllocateArray<ulong>(flags, pinned: true);
        Array.Clear(_flags, 0, flags);
        Array.Clear(_samples, 0, _stride * height);
        EbcotContexts.Reset(_contexts);
        _zeroCoding = Pointer(EbcotContexts.ZeroCoding) + 512 * orientation;
    }

    /// <summary>Begins a codeword segment. The bytes are copied.</summary>
    public void BeginSegment(ReadOnlySpan<byte> bytes, bool isRaw)
    {
        if (_bytes.Length < bytes.Length + MqDecoder.Sentinel) _bytes = GC.AllocateArray<byte>(bytes.Length + 4096, pinned: true);
        bytes.CopyTo(_bytes);
        _bytes.AsSpan(bytes.Length, MqDecoder.Sentinel).Fill(0xFF);
        if (isRaw) _raw = new RawBits(Pointer(_bytes), bytes.Length);
        else _mq = new MqDecoder(Pointer(_bytes));
    }

    public void ResetContexts() => EbcotContexts.Reset(_contexts);

    /// <summary>The significance propagation pass of a bit-plane (D.3.1).</summary>
    public void PropagateSignificance(int plane, bool isRaw)
    {
        if (isRaw)
        {
            PropagateRaw(plane);
            return;
        }

        var mq = _mq;
        var contexts = Pointer(_contexts);
        var states = Pointer(MqDecoder.States);
        var signCoding = Pointer(EbcotContexts.SignCoding);
        var zeroCoding = _zeroCoding;
        var value = 3u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = RowsFrom(top);
            for (var x = 0; x < _width; x++)
            {
                var todo = WithNeighbours((uint)flags[x]) & rows;
                if (todo == 0) continue;
                uint visited = 0;
                do
                {
                    var row = BitOperations.TrailingZeroCount(todo);
                    visited |= 1u << row;
                    todo &= todo - 1;
                    if (mq.Decode(contexts + zeroCoding[flags[x] >> row & 0x1FF], states) == 0) continue;
                    var code = signCoding[SignNeighbours(flags + x, row)];
                    var sign = (uint)(mq.Decode(contexts + (code & 0x7F), states) ^ code >> 7);
                    samples[SampleOf(row) + x] = value | sign << 31;
                    SetSignificant(flags + x, row, sign);
                    todo |= 8u << row & rows & ~(uint)(flags[x] >> 4);   // the one below has a neighbour now
                }
                while (todo != 0);
                flags[x] |= visited << Visited;
            }
        }
        _mq = mq;
    }

    /// <summary>The magnitude refinement pass of a bit-plane (D.3.3).</summary>
    public void RefineMagnitudes(int plane, bool isRaw)
    {
        if (isRaw)
        {
            RefineRaw(plane);
            return;
        }

        var mq = _mq;
        var contexts = Pointer(_contexts);
        var states = Pointer(MqDecoder.States);
        var half = 1 << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = (int*)Pointer(_samples) + top * _stride;
            for (var x = 0; x < _width; x++)
            {
                var known = flags[x];
                var todo = (uint)(known >> 4 & ~(known >> Visited)) & FourRows;
                if (todo == 0) continue;
                flags[x] = known | (ulong)todo << Refined;
                do
                {
                    var row = BitOperations.TrailingZeroCount(todo);
                    todo &= todo - 1;
                    // Table D.4: 16 where refined before, else 15 with a significant neighbour, 14 without.
                    var near = (int)(known >> row);
                    var refined = near >> Refined & 1;
                    var context = EbcotContexts.Refinement + 2 * refined + (((near & 0x1EF) + 0x1FF) >> 9 & ~refined);
                    var bit = mq.Decode(contexts + context, states);
                    samples[SampleOf(row) + x] += (half ^ (bit - 1)) - (bit - 1);
                }
                while (todo != 0);
            }
        }
        _mq = mq;
    }

    /// <summary>The cleanup pass of a bit-plane (D.3.4).</summary>
    public void CleanUp(int plane)
    {
        var mq = _mq;
        var contexts = Pointer(_contexts);
        var states = Pointer(MqDecoder.States);
        var signCoding = Pointer(EbcotContexts.SignCoding);
        var zeroCoding = _zeroCoding;
        var value = 3u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = RowsFrom(top);
            for (var x = 0; x < _width; x++)
            {
                var known = flags[x];
                var todo = (uint)~(known >> 4 | known >> Visited) & rows;
                var isFound = false;
                if (known == 0 && rows == FourRows)
                {
                    if (mq.Decode(contexts + EbcotContexts.RunLength, states) == 0) continue;
                    var first = mq.Decode(contexts + EbcotContexts.Uniform, states) << 1;
                    first |= mq.Decode(contexts + EbcotContexts.Uniform, states);
                    todo = FourRows << 3 * first & FourRows;
                    isFound = true;
                }

                for (; todo != 0; todo &= todo - 1)
                {
                    var row = BitOperations.TrailingZeroCount(todo);
                    if (!isFound && mq.Decode(contexts + zeroCoding[flags[x] >> row & 0x1FF], states) == 0) continue;
                    isFound = false;
                    var code = signCoding[SignNeighbours(flags + x, row)];
                    var sign = (uint)(mq.Decode(contexts + (code & 0x7F), states) ^ code >> 7);
                    samples[SampleOf(row) + x] = value | sign << 31;
                    SetSignificant(flags + x, row, sign);
                }
                flags[x] &= ~((ulong)FourRows << Visited);
            }
        }
        _mq = mq;
    }

    /// <summary>Whether the segmentation symbol follows (D.5): where it does not, the pass before it has gone wrong.</summary>
    public bool ReadSegmentationSymbol()
    {
        var mq = _mq;
        var symbol = 0;
        for (var i = 0; i < 4; i++) symbol = symbol << 1 | mq.Decode(Pointer(_contexts) + EbcotContexts.Uniform, Pointer(MqDecoder.States));
        _mq = mq;
        return symbol == 0xA;
    }

    private void PropagateRaw(int plane)
    {
        var value = 3u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = RowsFrom(top);
            for (var x = 0; x < _width; x++)
            {
                for (var todo = WithNeighbours((uint)flags[x]) & rows; todo != 0;)
                {
                    var row = BitOperations.TrailingZeroCount(todo);
                    todo &= todo - 1;
                    flags[x] |= 1ul << (Visited + row);
                    if (_raw.Read() == 0) continue;
                    var sign = _raw.Read();
                    samples[SampleOf(row) + x] = value | sign << 31;
                    SetSignificant(flags + x, row, sign);
                    todo |= 8u << row & rows & ~(uint)(flags[x] >> 4);
                }
            }
        }
    }

    private void RefineRaw(int plane)
    {
        var half = 1u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            for (var x = 0; x < _width; x++)
            {
                for (var todo = (uint)(flags[x] >> 4 & ~(flags[x] >> Visited)) & FourRows; todo != 0; todo &= todo - 1)
                {
                    var row = BitOperations.TrailingZeroCount(todo);
                    if (_raw.Read() != 0) samples[SampleOf(row) + x] += half;
                    else samples[SampleOf(row) + x] -= half;
                    flags[x] |= 1ul << (Refined + row);
                }
            }
        }
    }

    /// <summary>The rows of the stripe that the block has.</summary>
    private uint RowsFrom(int top) => FourRows & (1u << 3 * Math.Min(4, _height - top)) - 1;

    /// <summary>The rows whose sample is not significant, with a neighbour that is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint WithNeighbours(uint known)
    {
        var significant = known & 0x3FFFF;
        var ofRows = significant | significant >> 1 | significant >> 2;
        return (ofRows | ofRows >> 3 | ofRows >> 6) & ~(known >> 4) & FourRows;
    }

    /// <summary>Where a row, 0, 3, 6 or 9, begins in the stripe's samples.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SampleOf(int row) => row / 3 * _stride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* FlagsOf(int top) => Pointer(_flags) + (top / 4 + 1) * _flagStride + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SignNeighbours(ulong* flags, int row)
    {
        var known = flags[0] >> row;
        return (int)known & 0xAA | (int)(known >> Signs) & 0x41 | (int)(flags[-1] >> (Signs + row + 1)) & 4 | (int)(flags[1] >> (Signs + row) << 1) & 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetSignificant(ulong* flags, int row, uint sign)
    {
        flags[0] |= 1ul << (4 + row) | (ulong)sign << (Signs + 3 + row);
        flags[-1] |= 1ul << (5 + row);
        flags[1] |= 1ul << (3 + row);
        if (row == 0 && !_isCausal)
        {
            var above = flags - _flagStride;
            above[0] |= 1ul << 16 | (ulong)sign << (Signs + 15);
            above[-1] |= 1ul << 17;
            above[1] |= 1ul << 15;
        }
        else if (row == 9)
        {
            var below = flags + _flagStride;
            below[0] |= 1ul << 1 | (ulong)sign << Signs;
            below[-1] |= 1ul << 2;
            below[1] |= 1ul;
        }
    }

    // The pinned arrays do not move.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Pointer<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
