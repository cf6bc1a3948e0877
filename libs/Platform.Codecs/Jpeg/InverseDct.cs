using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// The inverse 8x8 cosine transform in integers: the factorisation of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 13-bit
/// constants and the rounding that the reference decoders use, so that pixels are equal to theirs. The vectors' lanes compute what
/// the scalars compute, in 32 bits each.
/// </summary>
internal static class InverseDct
{
    private const int ConstantBits = 13;
    private const int F0_298 = 2446, F0_390 = 3196, F0_541 = 4433, F0_765 = 6270, F0_899 = 7373, F1_175 = 9633,
        F1_501 = 12299, F1_847 = 15137, F1_961 = 16069, F2_053 = 16819, F2_562 = 20995, F3_072 = 25172;

    /// <summary>Transforms one block.</summary>
    /// <param name="coefficients">64 coefficients, row by row.</param>
    /// <param name="quantization">64 factors, in the same order.</param>
    /// <param name="target">Takes 8 rows of 8 samples, <paramref name="stride"/> apart.</param>
    /// <param name="stride">Samples from one row to the next.</param>
    /// <param name="precision">8 or 12 bits.</param>
    /// <param name="isVectorized">False for the scalar twin.</param>
    public static void Transform(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, Span<ushort> target, int stride, int precision, bool isVectorized = true)
    {
        // 12-bit samples need their extra bits: the first pass keeps one less behind the point.
        var pass1Bits = precision == 8 ? 2 : 1;
        if (isVectorized && Avx2.IsSupported) TransformVectors(coefficients[..64], quantization[..64], target[..(7 * stride + 8)], stride, pass1Bits, precision);
        else TransformScalars(coefficients, quantization, target, stride, pass1Bits, precision);
    }

    /// <summary>Transforms a block whose coefficients are all zero but the first.</summary>
    public static void TransformFlat(short coefficient, ushort quantization, Span<ushort> target, int stride, int precision)
    {
        // What the two passes come to: (c << 2 or 1), then three more bits and those taken off.
        var pass1Bits = precision == 8 ? 2 : 1;
        var flat = (ushort)Math.Clamp(Descale(coefficient * quantization << pass1Bits, pass1Bits + 3) + (1 << (precision - 1)), 0, (1 << precision) - 1);
        for (var row = 0; row < 8; row++) Vector128.Create(flat).CopyTo(target.Slice(row * stride, 8));
    }

    private static void TransformScalars(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, Span<ushort> target, int stride, int pass1Bits, int precision)
    {
        var center = 1 << (precision - 1);
        var max = (1 << precision) - 1;
        Span<int> work = stackalloc int[64];
        for (var column = 0; column < 8; column++)
        {
            int c0 = Dequantize(coefficients, quantization, column), c1 = Dequantize(coefficients, quantization, column + 8),
                c2 = Dequantize(coefficients, quantization, column + 16), c3 = Dequantize(coefficients, quantization, column + 24),
                c4 = Dequantize(coefficients, quantization, column + 32), c5 = Dequantize(coefficients, quantization, column + 40),
                c6 = Dequantize(coefficients, quantization, column + 48), c7 = Dequantize(coefficients, quantization, column + 56);
            Butterfly(ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ConstantBits - pass1Bits);
            work[column] = c0;
            work[column + 8] = c1;
            work[column + 16] = c2;
            work[column + 24] = c3;
            work[column + 32] = c4;
            work[column + 40] = c5;
            work[column + 48] = c6;
            work[column + 56] = c7;
        }

        for (var row = 0; row < 8; row++)
        {
            var w = work.Slice(8 * row, 8);
            Butterfly(ref w[0], ref w[1], ref w[2], ref w[3], ref w[4], ref w[5], ref w[6], ref w[7], ConstantBits + pass1Bits + 3);
            var line = target.Slice(row * stride, 8);
            for (var i = 0; i < 8; i++) line[i] = (ushort)Math.Clamp(w[i] + center, 0, max);
        }
    }

    /// <summary>One dimension, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterfly(ref int c0, ref int c1, ref int c2, ref int c3, ref int c4, ref int c5, ref int c6, ref int c7, int shift)
    {
        // Even part.
        var z1 = (c2 + c6) * F0_541;
        var even2 = z1 - c6 * F1_847;
        var even3 = z1 + c2 * F0_765;
        var even0 = (c0 + c4) << ConstantBits;
        var even1 = (c0 - c4) << ConstantBits;
        int t10 = even0 + even3, t13 = even0 - even3, t11 = even1 + even2, t12 = even1 - even2;

        // Odd part.
        int o0 = c7, o1 = c5, o2 = c3, o3 = c1;
        int s1 = o0 + o3, s2 = o1 + o2, s3 = o0 + o2, s4 = o1 + o3;
        var s5 = (s3 + s4) * F1_175;
        s1 *= -F0_899;
        s2 *= -F2_562;
        s3 = s3 * -F1_961 + s5;
        s4 = s4 * -F0_390 + s5;
        o0 = o0 * F0_298 + s1 + s3;
        o1 = o1 * F2_053 + s2 + s4;
        o2 = o2 * F3_072 + s2 + s3;
        o3 = o3 * F1_501 + s1 + s4;

        c0 = Descale(t10 + o3, shift);
        c7 = Descale(t10 - o3, shift);
        c1 = Descale(t11 + o2, shift);
        c6 = Descale(t11 - o2, shift);
        c2 = Descale(t12 + o1, shift);
        c5 = Descale(t12 - o1, shift);
        c3 = Descale(t13 + o0, shift);
        c4 = Descale(t13 - o0, shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Dequantize(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, int at) => coefficients[at] * quantization[at];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Descale(int value, int shift) => (value + (1 << (shift - 1))) >> shift;

    private static unsafe void TransformVectors(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, Span<ushort> target, nint stride, int pass1Bits, int precision)
    {
        fixed (short* c = coefficients)
        fixed (ushort* q = quantization, to = target)
        {
            Vector256<int> r0 = Dequantize(c, q), r1 = Dequantize(c + 8, q + 8), r2 = Dequantize(c + 16, q + 16), r3 = Dequantize(c + 24, q + 24),
                r4 = Dequantize(c + 32, q + 32), r5 = Dequantize(c + 40, q + 40), r6 = Dequantize(c + 48, q + 48), r7 = Dequantize(c + 56, q + 56);
            Butterfly(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, ConstantBits - pass1Bits);
            Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            Butterfly(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, ConstantBits + pass1Bits + 3);
            Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            var center = Vector256.Create(1 << (precision - 1));
            var max = Vector256.Create((ushort)((1 << precision) - 1));
            StorePair(r0, r1, center, max, to, stride);
            StorePair(r2, r3, center, max, to + 2 * stride, stride);
            StorePair(r4, r5, center, max, to + 4 * stride, stride);
            StorePair(r6, r7, center, max, to + 6 * stride, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<int> Dequantize(short* coefficients, ushort* quantization) =>
        Avx2.ConvertToVector256Int32(coefficients) * Avx2.ConvertToVector256Int32(quantization);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void StorePair(Vector256<int> first, Vector256<int> second, Vector256<int> center, Vector256<ushort> max, ushort* target, nint stride)
    {
        var both = Avx2.Permute4x64(Vector256.Min(Avx2.PackUnsignedSaturate(first + center, second + center), max).AsUInt64(), 0b11_01_10_00).AsUInt16();
        both.GetLower().Store(target);
        both.GetUpper().Store(target + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterfly(ref Vector256<int> c0, ref Vector256<int> c1, ref Vector256<int> c2, ref Vector256<int> c3,
        ref Vector256<int> c4, ref Vector256<int> c5, ref Vector256<int> c6, ref Vector256<int> c7, int shift)
    {
        var z1 = (c2 + c6) * Vector256.Create(F0_541);
        var even2 = z1 - c6 * Vector256.Create(F1_847);
        var even3 = z1 + c2 * Vector256.Create(F0_765);
        var even0 = (c0 + c4) << ConstantBits;
        var even1 = (c0 - c4) << ConstantBits;
        Vector256<int> t10 = even0 + even3, t13 = even0 - even3, t11 = even1 + even2, t12 = even1 - even2;

        Vector256<int> o0 = c7, o1 = c5, o2 = c3, o3 = c1;
        Vector256<int> s1 = o0 + o3, s2 = o1 + o2, s3 = o0 + o2, s4 = o1 + o3;
        var s5 = (s3 + s4) * Vector256.Create(F1_175);
        s1 *= Vector256.Create(-F0_899);
        s2 *= Vector256.Create(-F2_562);
        s3 = s3 * Vector256.Create(-F1_961) + s5;
        s4 = s4 * Vector256.Create(-F0_390) + s5;
        o0 = o0 * Vector256.Create(F0_298) + s1 + s3;
        o1 = o1 * Vector256.Create(F2_053) + s2 + s4;
        o2 = o2 * Vector256.Create(F3_072) + s2 + s3;
        o3 = o3 * Vector256.Create(F1_501) + s1 + s4;

        var half = Vector256.Create(1 << (shift - 1));
        t10 += half;
        t11 += half;
        t12 += half;
        t13 += half;
        c0 = (t10 + o3) >> shift;
        c7 = (t10 - o3) >> shift;
        c1 = (t11 + o2) >> shift;
        c6 = (t11 - o2) >> shift;
        c2 = (t12 + o1) >> shift;
        c5 = (t12 - o1) >> shift;
        c3 = (t13 + o0) >> shift;
        c4 = (t13 - o0) >> shift;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose(ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
        ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7)
    {
        Vector256<long> a0 = Avx2.UnpackLow(r0, r1).AsInt64(), a1 = Avx2.UnpackHigh(r0, r1).AsInt64(), a2 = Avx2.UnpackLow(r2, r3).AsInt64(), a3 = Avx2.UnpackHigh(r2, r3).AsInt64(),
            a4 = Avx2.UnpackLow(r4, r5).AsInt64(), a5 = Avx2.UnpackHigh(r4, r5).AsInt64(), a6 = Avx2.UnpackLow(r6, r7).AsInt64(), a7 = Avx2.UnpackHigh(r6, r7).AsInt64();
        Vector256<long> b0 = Avx2.UnpackLow(a0, a2), b1 = Avx2.UnpackHigh(a0, a2), b2 = Avx2.UnpackLow(a1, a3), b3 = Avx2.UnpackHigh(a1, a3),
            b4 = Avx2.UnpackLow(a4, a6), b5 = Avx2.UnpackHigh(a4, a6), b6 = Avx2.UnpackLow(a5, a7), b7 = Avx2.UnpackHigh(a5, a7);
        r0 = Avx2.Permute2x128(b0, b4, 0x20).AsInt32();
        r1 = Avx2.Permute2x128(b1, b5, 0x20).AsInt32();
        r2 = Avx2.Permute2x128(b2, b6, 0x20).AsInt32();
        r3 = Avx2.Permute2x128(b3, b7, 0x20).AsInt32();
        r4 = Avx2.Permute2x128(b0, b4, 0x31).AsInt32();
        r5 = Avx2.Permute2x128(b1, b5, 0x31).AsInt32();
        r6 = Avx2.Permute2x128(b2, b6, 0x31).AsInt32();
        r7 = Avx2.Permute2x128(b3, b7, 0x31).AsInt32();
    }
}
