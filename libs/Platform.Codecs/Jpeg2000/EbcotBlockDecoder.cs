using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Platform.Codecs.Htj2k;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// Decodes the code-blocks of JPEG 2000 Part 1 (T.800 annex D): significance propagation, magnitude refinement and cleanup, bit-plane by
/// bit-plane, in every code-block style. Has its memory for the longest block; not for concurrent use.
/// </summary>
/// <remarks>
/// A word holds what is known of a column of four samples: bits 0 to 17 whether the samples of three columns and six rows are significant, row by
/// row from the one above; 18 to 21 whether a pass has visited the four; 22 to 25 whether they were refined; 26 to 31 the signs of the six samples
/// of the middle column.
/// </remarks>
internal sealed unsafe class EbcotBlockDecoder
{
    private const int MaxSamples = 4096, Visited = 18, Refined = 22, Signs = 26;
    private const uint AllVisited = 0xFu << Visited;

    private readonly uint[] _samples = GC.AllocateArray<uint>(2 * MaxSamples + 16, pinned: true);
    private readonly byte[] _contexts = GC.AllocateArray<byte>(EbcotContexts.Count, pinned: true);
    private uint[] _flags = GC.AllocateArray<uint>(66 * 18, pinned: true);
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
        if (_flags.Length < flags) _flags = GC.AllocateArray<uint>(flags, pinned: true);
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
        var zeroCoding = _zeroCoding;
        var value = 3u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = Math.Min(4, _height - top);
            for (var x = 0; x < _width; x++)
            {
                if (flags[x] == 0) continue;
                for (var row = 0; row < rows; row++)
                {
                    var near = flags[x] >> (3 * row) & 0x1FF;
                    if ((near & 0x10) != 0 || near == 0) continue;
                    if (mq.Decode(contexts + zeroCoding[near], states) != 0)
                    {
                        var code = Pointer(EbcotContexts.SignCoding)[SignNeighbours(flags + x, row)];
                        var sign = mq.Decode(contexts + (code & 0x7F), states) ^ (uint)code >> 7;
                        samples[row * _stride + x] = value | sign << 31;
                        SetSignificant(flags + x, row, sign);
                    }
                    flags[x] |= 1u << (Visited + row);
                }
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
        var half = 1u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = Math.Min(4, _height - top);
            for (var x = 0; x < _width; x++)
            {
                if ((flags[x] & 0x2490) == 0) continue;      // none of the four is significant
                for (var row = 0; row < rows; row++)
                {
                    var known = flags[x];
                    if ((known >> (4 + 3 * row) & 1) == 0 || (known >> (Visited + row) & 1) != 0) continue;
                    var context = EbcotContexts.Refinement + ((known >> (Refined + row) & 1) != 0 ? 2 : (known >> (3 * row) & 0x1EF) != 0 ? 1 : 0);
                    if (mq.Decode(contexts + context, states) != 0) samples[row * _stride + x] += half;
                    else samples[row * _stride + x] -= half;
                    flags[x] = known | 1u << (Refined + row);
                }
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
        var zeroCoding = _zeroCoding;
        var value = 3u << plane;
        for (var top = 0; top < _height; top += 4)
        {
            var flags = FlagsOf(top);
            var samples = Pointer(_samples) + top * _stride;
            var rows = Math.Min(4, _height - top);
            for (var x = 0; x < _width; x++)
            {
                var row = 0;
                var isFound = false;
                if (rows == 4 && flags[x] == 0)
                {
                    if (mq.Decode(contexts + EbcotContexts.RunLength, states) == 0) continue;
                    row = (int)mq.Decode(contexts + EbcotContexts.Uniform, states) << 1;
                    row |= (int)mq.Decode(contexts + EbcotContexts.Uniform, states);
                    isFound = true;
                }

                for (; row < rows; row++)
                {
                    if (!isFound)
                    {
                        var known = flags[x];
                        if ((known >> (4 + 3 * row) & 1) != 0 || (known >> (Visited + row) & 1) != 0) continue;
                        if (mq.Decode(contexts + zeroCoding[known >> (3 * row) & 0x1FF], states) == 0) continue;
                    }
                    isFound = false;
                    var code = Pointer(EbcotContexts.SignCoding)[SignNeighbours(flags + x, row)];
                    var sign = mq.Decode(contexts + (code & 0x7F), states) ^ (uint)code >> 7;
                    samples[row * _stride + x] = value | sign << 31;
                    SetSignificant(flags + x, row, sign);
                }
                flags[x] &= ~AllVisited;
            }
        }
        _mq = mq;
    }

    /// <summary>Whether the segmentation symbol follows (D.5): where it does not, the pass before it has gone wrong.</summary>
    public bool ReadSegmentationSymbol()
    {
        var mq = _mq;
        uint symbol = 0;
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
            var rows = Math.Min(4, _height - top);
            for (var x = 0; x < _width; x++)
            {
                for (var row = 0; row < rows; row++)
                {
                    var near = flags[x] >> (3 * row) & 0x1FF;
                    if ((near & 0x10) != 0 || near == 0) continue;
                    if (_raw.Read() != 0)
                    {
                        var sign = _raw.Read();
                        samples[row * _stride + x] = value | sign << 31;
                        SetSignificant(flags + x, row, sign);
                    }
                    flags[x] |= 1u << (Visited + row);
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
            var rows = Math.Min(4, _height - top);
            for (var x = 0; x < _width; x++)
            {
                for (var row = 0; row < rows; row++)
                {
                    if ((flags[x] >> (4 + 3 * row) & 1) == 0 || (flags[x] >> (Visited + row) & 1) != 0) continue;
                    if (_raw.Read() != 0) samples[row * _stride + x] += half;
                    else samples[row * _stride + x] -= half;
                    flags[x] |= 1u << (Refined + row);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint* FlagsOf(int top) => Pointer(_flags) + (top / 4 + 1) * _flagStride + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SignNeighbours(uint* flags, int row)
    {
        var known = flags[0];
        return (known >> (3 + 3 * row) & 1) | (known >> (4 + 3 * row) & 2) | (known << 1 >> 3 * row & 4) | (known >> (4 + 3 * row) & 8)
            | (flags[-1] >> (Signs + 1 + row) & 1) << 4 | (flags[1] >> (Signs + 1 + row) & 1) << 5
            | (known >> (Signs + row) & 1) << 6 | (known >> (Signs + 2 + row) & 1) << 7;
    }

    private void SetSignificant(uint* flags, int row, uint sign)
    {
        flags[0] |= 1u << (4 + 3 * row) | sign << (Signs + 1 + row);
        flags[-1] |= 1u << (5 + 3 * row);
        flags[1] |= 1u << (3 + 3 * row);
        if (row == 0 && !_isCausal)
        {
            var above = flags - _flagStride;
            above[0] |= 1u << 16 | sign << 31;
            above[-1] |= 1u << 17;
            above[1] |= 1u << 15;
        }
        else if (row == 3)
        {
            var below = flags + _flagStride;
            below[0] |= 1u << 1 | sign << Signs;
            below[-1] |= 1u << 2;
            below[1] |= 1u;
        }
    }

    // The pinned arrays do not move.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Pointer<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
