using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Htj2k;

/// <summary>
/// Encodes code-blocks with one cleanup pass down to the lowest bit (T.814 clause 7), so without loss. Has its memory for the longest
/// block; not for concurrent use.
/// </summary>
/// <remarks>
/// Per row of quads: first what each quad is (significance, exponents, their bound U, contexts), many quads at once; then its bits,
/// one after the other, without stuffing. The streams are stuffed when the block is complete.
/// </remarks>
internal sealed unsafe class HtBlockEncoder
{
    /// <summary>The most bytes that a block of <see cref="MaxBits"/> may become.</summary>
    public const int MaxLength = 20_000;

    /// <summary>The most magnitude bits of a sample.</summary>
    public const int MaxBits = 26;

    private const int MaxSamples = 4096, MaxQuads = 512;

    // By u from 0: the prefix and suffix codes of T.814 table 3: prefix's length (bits 0-1), prefix (2-4), suffix's length (5-7), suffix (8-12).
    private static readonly ushort[] UCodes = MakeUCodes();

    private readonly byte[] _magSgn = GC.AllocateArray<byte>(4 * MaxSamples + 64, pinned: true);
    private readonly byte[] _vlc = GC.AllocateArray<byte>(4096, pinned: true);
    private readonly byte[] _mel = GC.AllocateArray<byte>(1024, pinned: true);
    private readonly uint[] _values = GC.AllocateArray<uint>(4 * MaxQuads + 32, pinned: true);      // of a row: 2 (magnitude - 1) + sign, four per quad
    private readonly int[] _index = GC.AllocateArray<int>(MaxQuads + 16, pinned: true);             // into VlcTables.Encode
    private readonly int[] _bounds = GC.AllocateArray<int>(MaxQuads + 16, pinned: true);            // U | u << 8
    private readonly int[] _rho = GC.AllocateArray<int>(2 * (MaxQuads + 32), pinned: true);         // this row's and that above, by turns; one quad of padding before
    private readonly int[] _exponents = GC.AllocateArray<int>(4 * (MaxQuads + 32), pinned: true);   // the same, of the lower samples: left ones, right ones
    private readonly bool _isVectorized;

    /// <param name="isVectorized">False for the scalar twin, which gives the same bytes.</param>
    public HtBlockEncoder(bool isVectorized = true) => _isVectorized = isVectorized && Avx2.IsSupported;

    /// <summary>Encodes one block.</summary>
    /// <param name="samples">Coefficients, two's complement.</param>
    /// <param name="stride">From row to row.</param>
    /// <param name="width">1 to 1,024.</param>
    /// <param name="height">1 to 1,024; at most 4,096 samples.</param>
    /// <param name="magnitudeBits">No magnitude may have more bits; at most <see cref="MaxBits"/>.</param>
    /// <param name="target">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The bytes written; 0 where all samples are zero; -1 where one has too many bits.</returns>
    public int Encode(int* samples, int stride, int width, int height, int magnitudeBits, Span<byte> target)
    {
        var all = AllMagnitudes(samples, stride, width, height);
        if (all == 0) return 0;
        if (all >> magnitudeBits != 0) return -1;

        int quads = (width + 1) >> 1, side = MaxQuads + 32;
        Array.Clear(_rho);
        Array.Clear(_exponents);
        int* rho = Pointer(_rho) + 8, exponents = Pointer(_exponents) + 8;
        var bits = new Writers(Pointer(_magSgn), Pointer(_vlc), Pointer(_mel));
        for (var y = 0; y < height; y += 2)
        {
            int now = (y >> 1) & 1, above = 1 - now;
            int* upper = samples + (nint)y * stride, lower = y + 1 < height ? upper + stride : null;
            if (_isVectorized) AnalyzeVector(upper, lower, width, rho + now * side, exponents + 2 * now * side, side);
            else AnalyzeScalar(upper, lower, width, rho + now * side, exponents + 2 * now * side, side);
            if (_isVectorized) ContextsVector(quads, y == 0, rho + now * side, rho + above * side, exponents + 2 * above * side, side);
            else ContextsScalar(quads, y == 0, rho + now * side, rho + above * side, exponents + 2 * above * side, side);
            if (y == 0) WriteFirstRow(ref bits, quads);
            else WriteOtherRow(ref bits, quads);
        }
        return bits.Finish(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Pointer<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private static uint AllMagnitudes(int* samples, int stride, int width, int height)
    {
        var all = Vector256<int>.Zero;
        uint rest = 0;
        for (var y = 0; y < height; y++, samples += stride)
        {
            var x = 0;
            for (; x + 8 <= width; x += 8) all |= Vector256.Abs(Vector256.Load(samples + x));
            for (; x < width; x++) rest |= (uint)Math.Abs(samples[x]);
        }
        for (var i = 0; i < 8; i++) rest |= (uint)all[i];
        return rest;
    }

    private void AnalyzeScalar(int* upper, int* lower, int width, int* rho, int* exponents, int side)
    {
        var values = Pointer(_values);
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        for (var q = 0; 2 * q < width; q++)
        {
            int significance = 0, greatest = 0, pattern = 0;
            for (var n = 0; n < 4; n++)
            {
                var x = 2 * q + (n >> 1);
                var sample = x >= width ? 0 : (n & 1) == 0 ? upper[x] : lower == null ? 0 : lower[x];
                uint value = 0;
                var exponent = 0;
                if (sample != 0)
                {
                    value = 2 * ((uint)Math.Abs(sample) - 1);
                    exponent = 32 - BitOperations.LeadingZeroCount(value | 1);
                    if (sample < 0) value |= 1;
                    significance |= 1 << n;
                }
                values[4 * q + n] = value;
                if (exponent > greatest) (greatest, pattern) = (exponent, 0);
                if (exponent == greatest) pattern |= 1 << n;
                if (n == 1) exponents[q] = exponent;
                else if (n == 3) exponents[side + q] = exponent;
            }
            rho[q] = significance;
            index[q] = pattern;
            bounds[q] = greatest;
        }
    }

    private void AnalyzeVector(int* upper, int* lower, int width, int* rho, int* exponents, int side)
    {
        var values = Pointer(_values);
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        var lanes = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);
        for (var x = 0; x < width; x += 16)
        {
            // Beyond the block's edge stands another block.
            Vector256<int> firstMask = Vector256.LessThan(lanes, Vector256.Create(width - x)), secondMask = Vector256.LessThan(lanes, Vector256.Create(width - x - 8));
            Split(Vector256.Load(upper + x) & firstMask, Vector256.Load(upper + x + 8) & secondMask, out var topLeft, out var topRight);
            Vector256<int> bottomLeft = default, bottomRight = default;
            if (lower != null) Split(Vector256.Load(lower + x) & firstMask, Vector256.Load(lower + x + 8) & secondMask, out bottomLeft, out bottomRight);

            Vector256<int> e0 = Measure(ref topLeft), e1 = Measure(ref bottomLeft), e2 = Measure(ref topRight), e3 = Measure(ref bottomRight);
            var greatest = Vector256.Max(Vector256.Max(e0, e1), Vector256.Max(e2, e3));
            var q = x >> 1;
            e1.Store(exponents + q);
            e3.Store(exponents + side + q);
            greatest.Store(bounds + q);
            (Bit(Vector256.GreaterThan(e0, Vector256<int>.Zero), 1) | Bit(Vector256.GreaterThan(e1, Vector256<int>.Zero), 2) |
                Bit(Vector256.GreaterThan(e2, Vector256<int>.Zero), 4) | Bit(Vector256.GreaterThan(e3, Vector256<int>.Zero), 8)).Store(rho + q);
            (Bit(Vector256.Equals(e0, greatest), 1) | Bit(Vector256.Equals(e1, greatest), 2) | Bit(Vector256.Equals(e2, greatest), 4) | Bit(Vector256.Equals(e3, greatest), 8)).Store(index + q);

            // Four vectors of eight quads each become eight quads of four values.
            Vector256<int> a = Avx2.UnpackLow(topLeft, bottomLeft), b = Avx2.UnpackHigh(topLeft, bottomLeft), c = Avx2.UnpackLow(topRight, bottomRight), d = Avx2.UnpackHigh(topRight, bottomRight);
            Vector256<long> q04 = Avx2.UnpackLow(a.AsInt64(), c.AsInt64()), q15 = Avx2.UnpackHigh(a.AsInt64(), c.AsInt64()), q26 = Avx2.UnpackLow(b.AsInt64(), d.AsInt64()), q37 = Avx2.UnpackHigh(b.AsInt64(), d.AsInt64());
            var to = (long*)(values + 4 * q);
            Avx2.Permute2x128(q04, q15, 0x20).Store(to);
            Avx2.Permute2x128(q26, q37, 0x20).Store(to + 4);
            Avx2.Permute2x128(q04, q15, 0x31).Store(to + 8);
            Avx2.Permute2x128(q26, q37, 0x31).Store(to + 12);
        }
    }

    // Even and odd columns apart.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(Vector256<int> first, Vector256<int> second, out Vector256<int> even, out Vector256<int> odd)
    {
        even = Avx2.Permute4x64(Avx.Shuffle(first.AsSingle(), second.AsSingle(), 0x88).AsInt64(), 0xD8).AsInt32();
        odd = Avx2.Permute4x64(Avx.Shuffle(first.AsSingle(), second.AsSingle(), 0xDD).AsInt64(), 0xD8).AsInt32();
    }

    /// <summary>Samples become 2 (magnitude - 1) + sign, 0 where not significant; returns their exponents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Measure(ref Vector256<int> samples)
    {
        var isSignificant = ~Vector256.Equals(samples, Vector256<int>.Zero);
        var doubled = (Vector256.Abs(samples) - Vector256<int>.One) << 1;
        // The exponent of the value as a float, of which only the highest bit is kept where rounding could raise it.
        var odd = doubled | Vector256<int>.One;
        var exponent = (Avx.ConvertToVector256Single(Avx2.AndNot(odd >> 1, odd)).AsInt32() >> 23) - Vector256.Create(126);
        samples = (doubled | (samples.AsUInt32() >> 31).AsInt32()) & isSignificant;
        return exponent & isSignificant;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Bit(Vector256<int> mask, int bit) => mask & Vector256.Create(bit);

    /// <summary>Contexts (T.814 equations 1 and 2), kappa and u (7.3.7) of a row.</summary>
    private void ContextsScalar(int quads, bool isFirstRow, int* rho, int* rhoAbove, int* exponents, int side)
    {
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        for (var q = 0; q < quads; q++)
        {
            int left = rho[q - 1], context, kappa = 1;
            if (isFirstRow)
            {
                context = ((left | left >> 1) & 1) | ((left >> 1) & 6);
            }
            else
            {
                context = ((rhoAbove[q - 1] >> 3 | rhoAbove[q] >> 1) & 1) | ((left >> 2 | left >> 3) & 1) << 1 | ((rhoAbove[q] >> 3 | rhoAbove[q + 1] >> 1) & 1) << 2;
                if ((rho[q] & (rho[q] - 1)) != 0)
                    kappa = Math.Max(1, Math.Max(Math.Max(exponents[side + q - 1], exponents[q]), Math.Max(exponents[side + q], exponents[q + 1])) - 1);
            }
            var u = Math.Max(bounds[q] - kappa, 0);
            index[q] = (isFirstRow ? 0 : 2048) | context << 8 | rho[q] << 4 | (u > 0 ? index[q] : 0);
            bounds[q] = kappa + u | u << 8;
        }
    }

    private void ContextsVector(int quads, bool isFirstRow, int* rho, int* rhoAbove, int* exponents, int side)
    {
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        var one = Vector256<int>.One;
        for (var q = 0; q < quads; q += 8)
        {
            Vector256<int> here = Vector256.Load(rho + q), left = Vector256.Load(rho + q - 1), kappa = one, context;
            if (isFirstRow)
            {
                context = ((left | left >> 1) & one) | ((left >> 1) & Vector256.Create(6));
            }
            else
            {
                Vector256<int> above = Vector256.Load(rhoAbove + q), before = Vector256.Load(rhoAbove + q - 1), after = Vector256.Load(rhoAbove + q + 1);
                context = ((before >> 3 | above >> 1) & one) | ((left >> 2 | left >> 3) & one) << 1 | ((above >> 3 | after >> 1) & one) << 2;
                var most = Vector256.Max(Vector256.Max(Vector256.Load(exponents + side + q - 1), Vector256.Load(exponents + q)),
                    Vector256.Max(Vector256.Load(exponents + side + q), Vector256.Load(exponents + q + 1)));
                var isSingle = Vector256.Equals(here & (here - one), Vector256<int>.Zero);
                kappa = Vector256.ConditionalSelect(isSingle, one, Vector256.Max(most - one, one));
            }
            var u = Vector256.Max(Vector256.Load(bounds + q) - kappa, Vector256<int>.Zero);
            var pattern = Vector256.Load(index + q) & Vector256.GreaterThan(u, Vector256<int>.Zero);
            (Vector256.Create(isFirstRow ? 0 : 2048) | context << 8 | here << 4 | pattern).Store(index + q);
            (kappa + u | u << 8).Store(bounds + q);
        }
    }

    private void WriteFirstRow(ref Writers bits, int quads)
    {
        var values = Pointer(_values);
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        fixed (ushort* table = VlcTables.Encode, codes = UCodes)
        {
            for (var q = 0; q < quads; q += 2)
            {
                uint first = table[index[q]], second = 0;
                int u0 = bounds[q] >> 8, u1 = 0;
                if (index[q] < 256) bits.WriteMel((index[q] & 0xF0) != 0);
                WriteSamples(ref bits, index[q], first, bounds[q], values + 4 * q);
                if (q + 1 < quads)
                {
                    second = table[index[q + 1]];
                    u1 = bounds[q + 1] >> 8;
                    if (index[q + 1] < 256) bits.WriteMel((index[q + 1] & 0xF0) != 0);
                    WriteSamples(ref bits, index[q + 1], second, bounds[q + 1], values + 4 * q + 4);
                }

                var isBoth = u0 > 0 && u1 > 0;
                if (isBoth) bits.WriteMel(Math.Min(u0, u1) > 2);
                var (word, length) = Join(first, second);
                if (isBoth && u0 > 2 && u1 > 2) WritePair(ref bits, word, length, codes[u0 - 2], codes[u1 - 2]);
                else if (isBoth && u0 > 2) WritePair(ref bits, word, length, codes[u0], 1u | (uint)(u1 - 1) << 2); // one bit tells 1 from 2
                else WritePair(ref bits, word, length, codes[u0], codes[u1]);
            }
        }
    }

    private void WriteOtherRow(ref Writers bits, int quads)
    {
        var values = Pointer(_values);
        var index = Pointer(_index);
        var bounds = Pointer(_bounds);
        fixed (ushort* table = VlcTables.Encode, codes = UCodes)
        {
            for (var q = 0; q < quads; q += 2)
            {
                uint first = table[index[q]], second = 0;
                var u1 = 0;
                if (index[q] < 2048 + 256) bits.WriteMel((index[q] & 0xF0) != 0);
                WriteSamples(ref bits, index[q], first, bounds[q], values + 4 * q);
                if (q + 1 < quads)
                {
                    second = table[index[q + 1]];
                    u1 = bounds[q + 1] >> 8;
                    if (index[q + 1] < 2048 + 256) bits.WriteMel((index[q + 1] & 0xF0) != 0);
                    WriteSamples(ref bits, index[q + 1], second, bounds[q + 1], values + 4 * q + 4);
                }
                var (word, length) = Join(first, second);
                WritePair(ref bits, word, length, codes[bounds[q] >> 8], codes[u1]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (uint Word, int Length) Join(uint first, uint second)
    {
        var length = (int)first & 7;
        return ((first >> 3) & 127 | ((second >> 3) & 127) << length, length + ((int)second & 7));
    }

    /// <summary>Significance, then the prefixes and the suffixes of u (T.814 7.3.6).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePair(ref Writers bits, uint word, int length, uint first, uint second)
    {
        ulong all = word;
        all |= (ulong)((first >> 2) & 7) << length;
        length += (int)first & 3;
        all |= (ulong)((second >> 2) & 7) << length;
        length += (int)second & 3;
        all |= (ulong)(first >> 8) << length;
        length += (int)(first >> 5) & 7;
        all |= (ulong)(second >> 8) << length;
        length += (int)(second >> 5) & 7;
        bits.WriteVlc(all, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteSamples(ref Writers bits, int index, uint code, int bound, uint* values)
    {
        var rho = (uint)index >> 4;
        uint known = code >> 10, u = (uint)bound & 255;
        int m0 = (int)((u - (known & 1)) & (0 - (rho & 1))), m1 = (int)((u - ((known >> 1) & 1)) & (0 - ((rho >> 1) & 1)));
        int m2 = (int)((u - ((known >> 2) & 1)) & (0 - ((rho >> 2) & 1))), m3 = (int)((u - (known >> 3)) & (0 - ((rho >> 3) & 1)));
        bits.WriteMagSgn(Low(values[0], m0) | Low(values[1], m1) << m0, m0 + m1);
        bits.WriteMagSgn(Low(values[2], m2) | Low(values[3], m3) << m2, m2 + m3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Low(uint value, int count) => value & ((1UL << count) - 1);

    private static ushort[] MakeUCodes()
    {
        var codes = new ushort[34];
        for (var u = 1; u < codes.Length; u++)
        {
            var (length, prefix, suffixLength, suffix) = u switch { 1 => (1, 1, 0, 0), 2 => (2, 2, 0, 0), < 5 => (3, 4, 1, u - 3), _ => (3, 0, 5, u - 5) };
            codes[u] = (ushort)(length | prefix << 2 | suffixLength << 5 | suffix << 8);
        }
        return codes;
    }

    /// <summary>The three streams of a block while it is encoded.</summary>
    private ref struct Writers
    {
        private readonly byte* _magSgn, _vlc, _mel;
        private byte* _magSgnNext, _vlcNext;
        private ulong _magSgnPending, _vlcPending;
        private int _magSgnBits, _vlcBits;          // pending, fewer than 8
        private int _melLength, _melFree, _melPending, _melState, _melRun, _melThreshold;

        public Writers(byte* magSgn, byte* vlc, byte* mel)
        {
            _magSgn = _magSgnNext = magSgn;
            _vlc = _vlcNext = vlc;
            _mel = mel;
            (_vlcPending, _vlcBits) = (0x0F, 4);    // the place of the suffix's length (T.814 7.1.4)
            (_melFree, _melThreshold) = (8, 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void WriteMagSgn(ulong value, int count)
        {
            _magSgnPending |= value << _magSgnBits;
            _magSgnBits += count;
            *(ulong*)_magSgnNext = _magSgnPending;
            _magSgnNext += _magSgnBits >> 3;
            _magSgnPending >>= _magSgnBits & 56;
            _magSgnBits &= 7;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void WriteVlc(ulong value, int count)
        {
            _vlcPending |= value << _vlcBits;
            _vlcBits += count;
            *(ulong*)_vlcNext = _vlcPending;
            _vlcNext += _vlcBits >> 3;
            _vlcPending >>= _vlcBits & 56;
            _vlcBits &= 7;
        }

        public void WriteMel(bool value)
        {
            if (!value)
            {
                if (++_melRun < _melThreshold) return;
                WriteMelBit(1);
                if (_melState < 12) _melState++;
            }
            else
            {
                WriteMelBit(0);
                for (int i = MelDecoder.Exponents[_melState]; i > 0;) WriteMelBit((_melRun >> --i) & 1);
                if (_melState > 0) _melState--;
            }
            _melRun = 0;
            _melThreshold = 1 << MelDecoder.Exponents[_melState];
        }

        private void WriteMelBit(int bit)
        {
            _melPending = _melPending << 1 | bit;
            if (--_melFree > 0) return;
            _mel[_melLength++] = (byte)_melPending;
            _melFree = _melPending == 0xFF ? 7 : 8;
            _melPending = 0;
        }

        /// <summary>Puts the streams together (T.814 7.1.1): MagSgn, MEL forward, VLC backward, their length in the last twelve bits.</summary>
        public int Finish(Span<byte> target)
        {
            *(ulong*)_magSgnNext = _magSgnPending;
            var length = HtBits.StuffForward(new ReadOnlySpan<byte>(_magSgn, (int)(_magSgnNext - _magSgn) + 16), 8 * (_magSgnNext - _magSgn) + _magSgnBits, target);

            *(ulong*)_vlcNext = _vlcPending;
            Span<byte> vlc = stackalloc byte[4096];
            var vlcLength = HtBits.StuffBackward(new ReadOnlySpan<byte>(_vlc, (int)(_vlcNext - _vlc) + 16), 8 * (_vlcNext - _vlc) + _vlcBits, vlc, out var rest, out var restBits);

            if (_melRun > 0) WriteMelBit(1);
            var melRest = _melPending << _melFree;
            int melMask = (0xFF << _melFree) & 0xFF, vlcMask = (1 << restBits) - 1;
            if ((melMask | vlcMask) != 0)
            {
                // The last bytes of both meet: one byte where neither minds.
                var both = melRest | rest;
                if (((both ^ melRest) & melMask) == 0 && ((both ^ rest) & vlcMask) == 0 && both != 0xFF && vlcLength > 0)
                {
                    _mel[_melLength++] = (byte)both;
                }
                else
                {
                    _mel[_melLength++] = (byte)melRest;
                    vlc[vlcLength++] = (byte)rest;
                }
            }

            new ReadOnlySpan<byte>(_mel, _melLength).CopyTo(target[length..]);
            var end = length + _melLength + vlcLength;
            for (var i = 0; i < vlcLength; i++) target[end - 1 - i] = vlc[i];
            var suffix = _melLength + vlcLength + 1;
            target[end] = (byte)(suffix >> 4);
            target[end - 1] = (byte)((target[end - 1] & 0xF0) | (suffix & 15));
            return end + 1;
        }
    }
}
