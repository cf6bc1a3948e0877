using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Htj2k;

/// <summary>
/// Decodes the code-blocks of T.814 clause 7: the cleanup pass and, where there are, the significance propagation and the magnitude
/// refinement pass. Has its memory for the longest block; not for concurrent use.
/// </summary>
/// <remarks>
/// Per row of quads: first all of its VLC and MEL, then the exponent bounds U, which need the row above only, then all of its MagSgn
/// bits, whose places are known by then. Nothing that a stream holds can lead outside the buffers: U is bounded before it is used,
/// and each buffer is as long as the largest block could ask for.
/// </remarks>
internal sealed unsafe class HtBlockDecoder
{
    /// <summary>The distance of rows in <see cref="Samples"/> for a block of some width.</summary>
    public static int StrideOf(int width) => (width + 7) & ~7;

    // A block has at most 4,096 samples, also when padded to pairs of quads, and at most 1,024 rows.
    private const int MaxSamples = 4096, MaxSide = 1024, MaxMagSgnSource = 19_000, MaxMagSgn = 4 * MaxSamples + 64, MaxVlc = 5120, MaxRefinementSource = 2048;

    private readonly uint[] _samples = GC.AllocateArray<uint>(2 * MaxSamples + 16, pinned: true);
    private readonly byte[] _magSgn = GC.AllocateArray<byte>(MaxMagSgnSource + 64, pinned: true);
    private readonly byte[] _vlc = GC.AllocateArray<byte>(MaxVlc + 64, pinned: true);
    private readonly ushort[] _quads = GC.AllocateArray<ushort>(MaxSide / 2 + 8, pinned: true);
    private readonly int[] _bounds = GC.AllocateArray<int>(MaxSide / 2 + 8, pinned: true);
    private readonly uint[] _bottom = GC.AllocateArray<uint>(MaxSide + 16, pinned: true);
    private readonly byte[] _significance = new byte[2 * MaxSamples];
    private readonly bool _isVectorized;

    /// <param name="isVectorized">False for the scalar twin, which gives the same samples.</param>
    public HtBlockDecoder(bool isVectorized = true) => _isVectorized = isVectorized && Avx2.IsSupported;

    /// <summary>
    /// What was decoded: sign in the highest bit; the magnitude below it in halves of the lowest bit-plane, with half of what is
    /// unknown added. Rows are <see cref="StrideOf"/> apart.
    /// </summary>
    public ReadOnlySpan<uint> Samples => _samples;

    /// <summary>Decodes one block.</summary>
    /// <param name="cleanup">The cleanup pass's codeword segment.</param>
    /// <param name="refinement">That of the other two passes.</param>
    /// <param name="passes">1 to 3.</param>
    /// <param name="width">1 to 1,024.</param>
    /// <param name="height">1 to 1,024; at most 4,096 samples.</param>
    /// <param name="missingPlanes">Bit-planes above those of the cleanup pass, 0 to 29.</param>
    /// <param name="lowestPlane">The bit-plane that the cleanup pass ends at.</param>
    /// <param name="isCausal">Significance does not spread from the stripe below.</param>
    /// <param name="offset">Where the block's bytes stand, for exceptions.</param>
    public void Decode(ReadOnlySpan<byte> cleanup, ReadOnlySpan<byte> refinement, int passes, int width, int height, int missingPlanes, int lowestPlane, bool isCausal, int offset)
    {
        // T.814 7.1: the last twelve bits say how long MEL and VLC are together.
        if (cleanup.Length < 2) throw new InvalidFrameException("A block is too short.", offset);
        var suffix = cleanup[^1] << 4 | (cleanup[^2] & 15);
        if (suffix < 2 || suffix > Math.Min(cleanup.Length, 4079)) throw new InvalidFrameException("A block's lengths contradict each other.", offset);
        if (passes > 1 && lowestPlane == 0) throw new InvalidFrameException("A block refines bits that it does not have.", offset);

        var source = cleanup[..(cleanup.Length - suffix)];
        var bits = HtBits.UnstuffForward(source[..Math.Min(source.Length, MaxMagSgnSource)], _magSgn);
        _magSgn[bits >> 3] |= (byte)(0xFF << (bits & 7)); // T.814 7.1.2: ones without end
        if (bits >> 3 < MaxMagSgn) _magSgn.AsSpan((bits >> 3) + 1, MaxMagSgn - (bits >> 3)).Fill(0xFF);

        bits = HtBits.UnstuffBackward(cleanup[(cleanup.Length - suffix)..^1], _vlc, true);
        Pad(_vlc, bits, MaxVlc);

        fixed (byte* start = cleanup)
        {
            DecodeCleanup(start + cleanup.Length - suffix, start + cleanup.Length - 1, width, height, missingPlanes, lowestPlane, offset);
        }
        if (passes > 1) DecodeRefinement(refinement, passes, width, height, lowestPlane, isCausal);
    }

    private static void Pad(byte[] buffer, int bits, int length)
    {
        buffer[bits >> 3] &= (byte)((1 << (bits & 7)) - 1);
        buffer.AsSpan((bits >> 3) + 1, Math.Max(length + 32 - (bits >> 3), 0)).Clear();
    }

    private void DecodeCleanup(byte* melStart, byte* melEnd, int width, int height, int missingPlanes, int lowestPlane, int offset)
    {
        var mel = new MelDecoder(melStart, melEnd);
        int stride = StrideOf(width), quads = (width + 1) >> 1, vlcPosition = 0, magSgnPosition = 0;
        var samples = Pointer(_samples);
        Array.Clear(_quads, 0, quads + 3);
        Array.Clear(_bottom, 0, 2 * quads + 8);
        for (var y = 0; y < height; y += 2, samples += 2 * stride)
        {
            vlcPosition = y == 0 ? ReadFirstRow(ref mel, quads) : ReadOtherRow(ref mel, quads, vlcPosition);
            if (BoundExponents(quads, y == 0) > missingPlanes + 2) throw new InvalidFrameException("A block's exponents are out of range.", offset);
            // Lanes of 32 bits hold seven bits of phase and a sample.
            magSgnPosition = _isVectorized && missingPlanes + 2 <= 25
                ? ReadSamplesVector(samples, stride, quads, lowestPlane, magSgnPosition)
                : ReadSamplesScalar(samples, stride, quads, lowestPlane, magSgnPosition);
        }
    }

    // The pinned arrays do not move.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Pointer<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(pinned));

    /// <summary>T.814 7.3.5 for the first row of quads: contexts come from the quad before.</summary>
    private int ReadFirstRow(ref MelDecoder mel, int quads)
    {
        fixed (ushort* table = VlcTables.Decode, tableU = VlcTables.DecodeFirstU)
        {
            var vlc = Pointer(_vlc);
            var row = Pointer(_quads);
            var bounds = Pointer(_bounds);
            var position = 0;
            uint context = 0;
            for (var q = 0; q < quads; q += 2)
            {
                var bits = *(ulong*)(vlc + (position >> 3)) >> (position & 7);
                uint first = table[context | (uint)bits & 127], second = 0;
                if (context == 0 && !mel.ReadEvent()) first = 0;
                bits >>= (int)(first & 7);
                position += (int)(first & 7);
                context = (first & 0x10) << 3 | (first & 0xE0) << 2;
                if (q + 1 < quads)
                {
                    second = table[context | (uint)bits & 127];
                    if (context == 0 && !mel.ReadEvent()) second = 0;
                    bits >>= (int)(second & 7);
                    position += (int)(second & 7);
                }
                context = (second & 0x10) << 3 | (second & 0xE0) << 2;
                (row[q], row[q + 1]) = ((ushort)first, (ushort)second);

                var mode = (first & 8) << 3 | (second & 8) << 4;
                if (mode == 0xC0 && mel.ReadEvent()) mode = 0x100;
                position += ReadBounds(tableU[mode | (uint)bits & 63], bits, bounds + q);
            }
            return position;
        }
    }

    /// <summary>The same for the other rows: contexts come from the row above, too.</summary>
    private int ReadOtherRow(ref MelDecoder mel, int quads, int position)
    {
        fixed (ushort* tables = VlcTables.Decode, tableU = VlcTables.DecodeOtherU)
        {
            var table = tables + 1024;
            var vlc = Pointer(_vlc);
            var row = Pointer(_quads);
            var bounds = Pointer(_bounds);
            uint left = 0, aboveLeft = 0, above = row[0];
            for (var q = 0; q < quads; q += 2)
            {
                uint next = row[q + 1], afterNext = row[q + 2];
                var bits = *(ulong*)(vlc + (position >> 3)) >> (position & 7);
                var context = (left & 0x40) << 2 | (left & 0x80) << 1 | (aboveLeft & 0x80) | (above & 0xA0) << 2 | (next & 0x20) << 4;
                uint first = table[context | (uint)bits & 127], second = 0;
                if (context == 0 && !mel.ReadEvent()) first = 0;
                bits >>= (int)(first & 7);
                position += (int)(first & 7);
                if (q + 1 < quads)
                {
                    context = (first & 0x40) << 2 | (first & 0x80) << 1 | (above & 0x80) | (next & 0xA0) << 2 | (afterNext & 0x20) << 4;
                    second = table[context | (uint)bits & 127];
                    if (context == 0 && !mel.ReadEvent()) second = 0;
                    bits >>= (int)(second & 7);
                    position += (int)(second & 7);
                }
                (row[q], row[q + 1]) = ((ushort)first, (ushort)second);
                (left, aboveLeft, above) = (second, next, afterNext);

                var mode = (first & 8) << 3 | (second & 8) << 4;
                position += ReadBounds(tableU[mode | (uint)bits & 63], bits, bounds + q);
            }
            return position;
        }
    }

    /// <summary>The u of two quads: prefixes, then suffixes (T.814 7.3.6). Returns the bits used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ReadBounds(uint entry, ulong bits, int* bounds)
    {
        int prefix = (int)entry & 7, suffix = (int)(entry >> 3) & 15, firstSuffix = (int)(entry >> 7) & 7;
        var tail = (uint)(bits >> prefix) & ((1u << suffix) - 1);
        bounds[0] = (int)(((entry >> 10) & 7) + (tail & ((1u << firstSuffix) - 1)));
        bounds[1] = (int)((entry >> 13) + (tail >> firstSuffix));
        return prefix + suffix;
    }

    /// <summary>U of each quad from u and the exponents of the row above (T.814 7.3.7). Returns the greatest.</summary>
    private int BoundExponents(int quads, bool isFirstRow)
    {
        var row = Pointer(_quads);
        var bounds = Pointer(_bounds);
        var bottom = Pointer(_bottom);
        var greatest = 0;
        for (var q = 0; q < quads; q++)
        {
            var kappa = 1;
            var rho = (uint)row[q] & 0xF0;
            if (!isFirstRow && (rho & (rho - 0x10)) != 0)
            {
                var pair = *(ulong*)(bottom + 2 * q) | *(ulong*)(bottom + 2 * q + 2);
                kappa = BitOperations.Log2((uint)(pair | pair >> 32) | 2);
            }
            kappa += bounds[q];
            bounds[q] = kappa;
            greatest = Math.Max(greatest, kappa);
        }
        bounds[quads] = 0; // where their number is odd, the last pair has one quad
        return greatest;
    }

    private int ReadSamplesScalar(uint* samples, int stride, int quads, int lowestPlane, int position)
    {
        var magSgn = Pointer(_magSgn);
        var row = Pointer(_quads);
        var bounds = Pointer(_bounds);
        var bottom = Pointer(_bottom) + 1;
        for (var q = 0; q < quads; q++)
        {
            uint quad = row[q];
            for (var n = 0; n < 4; n++)
            {
                uint sample = 0, value = 0;
                if ((quad & (0x10u << n)) != 0)
                {
                    var count = bounds[q] - (int)((quad >> (12 + n)) & 1);
                    var bits = *(ulong*)(magSgn + (position >> 3)) >> (position & 7);
                    value = (uint)bits & (uint)((1UL << count) - 1) | ((quad >> (8 + n)) & 1) << count;
                    position += count;
                    sample = value << 31;
                    value |= 1;
                    sample |= (value + 2) << lowestPlane;
                }
                var column = 2 * q + (n >> 1);
                samples[(n & 1) * stride + column] = sample;
                if ((n & 1) != 0) bottom[column] = value;
            }
        }
        return position;
    }

    private int ReadSamplesVector(uint* samples, int stride, int quads, int lowestPlane, int position)
    {
        var magSgn = Pointer(_magSgn);
        var row = Pointer(_quads);
        var bounds = Pointer(_bounds);
        var bottom = Pointer(_bottom) + 1;
        var rhoBit = Vector256.Create(0x10u, 0x20, 0x40, 0x80, 0x10, 0x20, 0x40, 0x80);
        var knownShift = Vector256.Create(12u, 13, 14, 15, 12, 13, 14, 15);
        var valueShift = Vector256.Create(8u, 9, 10, 11, 8, 9, 10, 11);
        var one = Vector256<uint>.One;
        var spread = Vector256.Create((byte)0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
        var fourBytes = Vector256.Create(0x03020100u).AsByte();
        var deinterleave = Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7);
        for (var q = 0; q < quads; q += 2)
        {
            uint first = row[q], second = row[q + 1];
            if (((first | second) & 0xF0) == 0)
            {
                Vector128<uint>.Zero.Store(samples + 2 * q);
                Vector128<uint>.Zero.Store(samples + stride + 2 * q);
                Vector128<uint>.Zero.Store(bottom + 2 * q);
                continue;
            }
            int firstBound = bounds[q], secondBound = bounds[q + 1];
            var firstCount = BitOperations.PopCount(first & 0xF0) * firstBound - BitOperations.PopCount(first >> 12);
            var secondCount = BitOperations.PopCount(second & 0xF0) * secondBound - BitOperations.PopCount(second >> 12);
            var secondPosition = position + firstCount;

            var quad = Vector256.Create(Vector128.Create(first), Vector128.Create(second));
            var bound = Vector256.Create(Vector128.Create((uint)firstBound), Vector128.Create((uint)secondBound));
            var isSignificant = Vector256.Equals(quad & rhoBit, rhoBit);
            var count = (bound - (Avx2.ShiftRightLogicalVariable(quad, knownShift) & one)) & isSignificant;
            var sum = count + Avx2.ShiftLeftLogical128BitLane(count, 4);
            sum += Avx2.ShiftLeftLogical128BitLane(sum, 8);
            var start = sum - count + Vector256.Create(Vector128.Create((uint)position & 7), Vector128.Create((uint)secondPosition & 7));
            var data = Vector256.Create(Vector128.Load(magSgn + (position >> 3)), Vector128.Load(magSgn + (secondPosition >> 3)));
            var from = Avx2.Shuffle((start >> 3).AsByte(), spread) + fourBytes;
            var bits = Avx2.ShiftRightLogicalVariable(Avx2.Shuffle(data, from).AsUInt32(), start & Vector256.Create(7u));
            var value = Avx2.AndNot(Avx2.ShiftLeftLogicalVariable(Vector256<uint>.AllBitsSet, count), bits);
            value |= Avx2.ShiftLeftLogicalVariable(Avx2.ShiftRightLogicalVariable(quad, valueShift) & one, count);
            var sign = value << 31;
            value = (value | one) & isSignificant;
            var sample = (sign | ((value + one + one) << lowestPlane)) & isSignificant;

            sample = Avx2.PermuteVar8x32(sample, deinterleave.AsUInt32());
            sample.GetLower().Store(samples + 2 * q);
            sample.GetUpper().Store(samples + stride + 2 * q);
            Avx2.PermuteVar8x32(value, deinterleave.AsUInt32()).GetUpper().Store(bottom + 2 * q);
            position = secondPosition + secondCount;
        }
        return position;
    }

    /// <summary>Significance propagation and magnitude refinement (T.814 7.4, 7.5), sample by sample: few streams have them.</summary>
    private void DecodeRefinement(ReadOnlySpan<byte> refinement, int passes, int width, int height, int plane, bool isCausal)
    {
        int stride = StrideOf(width), side = width + 2;
        var significance = _significance.AsSpan(0, side * (height + 2));
        significance.Clear();
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++) significance[(y + 1) * side + x + 1] = _samples[y * stride + x] != 0 ? (byte)1 : (byte)0;
        }

        var head = refinement[..Math.Min(refinement.Length, MaxRefinementSource)];
        Pad(_magSgn, HtBits.UnstuffForward(head, _magSgn), MaxRefinementSource);
        var position = 0;
        for (var stripe = 0; stripe < height; stripe += 4)
        {
            var rows = Math.Min(4, height - stripe);
            for (var group = 0; group < width; group += 4)
            {
                var columns = Math.Min(4, width - group);
                var found = 0u; // bit 4x + y of the group's samples
                for (var x = 0; x < columns; x++)
                {
                    for (var y = 0; y < rows; y++)
                    {
                        var at = (stripe + y + 1) * side + group + x + 1;
                        if (significance[at] != 0 || !HasNeighbour(significance, at, side, isCausal && y == 3)) continue;
                        if (Bit(_magSgn, position++) == 0) continue;
                        significance[at] = 2;
                        found |= 1u << (4 * x + y);
                    }
                }
                for (; found != 0; found &= found - 1)
                {
                    var n = BitOperations.TrailingZeroCount(found);
                    _samples[(stripe + (n & 3)) * stride + group + (n >> 2)] = (uint)Bit(_magSgn, position++) << 31 | 3u << (plane - 1);
                }
            }
        }

        if (passes < 3) return;
        var tail = refinement[^Math.Min(refinement.Length, MaxRefinementSource)..];
        Pad(_vlc, HtBits.UnstuffBackward(tail, _vlc, false), MaxRefinementSource);
        position = 0;
        for (var stripe = 0; stripe < height; stripe += 4)
        {
            for (var x = 0; x < width; x++)
            {
                for (var y = stripe; y < Math.Min(stripe + 4, height); y++)
                {
                    if (significance[(y + 1) * side + x + 1] != 1) continue;
                    ref var sample = ref _samples[y * stride + x];
                    sample = sample - (1u << plane) + ((uint)Bit(_vlc, position++) << plane) + (1u << (plane - 1));
                }
            }
        }
    }

    private static int Bit(byte[] buffer, int position) => (buffer[position >> 3] >> (position & 7)) & 1;

    private static bool HasNeighbour(ReadOnlySpan<byte> significance, int at, int side, bool isBelowHidden)
    {
        var any = significance[at - side - 1] | significance[at - side] | significance[at - side + 1] | significance[at - 1] | significance[at + 1];
        if (!isBelowHidden) any |= significance[at + side - 1] | significance[at + side] | significance[at + side + 1];
        return any != 0;
    }
}
