using System.Runtime.CompilerServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// The inverse 8x8 cosine transform in integers: the factorisation of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 13-bit
/// constants and the rounding that the reference decoders use, so that pixels are equal to theirs.
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
    public static void Transform(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, Span<ushort> target, int stride, int precision)
    {
        // 12-bit samples need their extra bits: the first pass keeps one less behind the point.
        var pass1Bits = precision == 8 ? 2 : 1;
        var center = 1 << (precision - 1);
        var max = (1 << precision) - 1;

        if (!coefficients[1..].ContainsAnyExcept((short)0))
        {
            var pass1 = coefficients[0] * quantization[0] << pass1Bits;
            var flat = (ushort)Math.Clamp(Descale(pass1, pass1Bits + 3) + center, 0, max);
            for (var row = 0; row < 8; row++) target.Slice(row * stride, 8).Fill(flat);
            return;
        }

        Span<int> work = stackalloc int[64];
        for (var column = 0; column < 8; column++)
        {
            int c0 = Dequantize(coefficients, quantization, column), c1 = Dequantize(coefficients, quantization, column + 8),
                c2 = Dequantize(coefficients, quantization, column + 16), c3 = Dequantize(coefficients, quantization, column + 24),
                c4 = Dequantize(coefficients, quantization, column + 32), c5 = Dequantize(coefficients, quantization, column + 40),
                c6 = Dequantize(coefficients, quantization, column + 48), c7 = Dequantize(coefficients, quantization, column + 56);
            if ((c1 | c2 | c3 | c4 | c5 | c6 | c7) == 0)
            {
                var flat = c0 << pass1Bits;
                for (var row = 0; row < 64; row += 8) work[column + row] = flat;
                continue;
            }
            Butterfly(c0, c1, c2, c3, c4, c5, c6, c7, ConstantBits - pass1Bits, out var a, out var b);
            work[column] = a.E0; work[column + 56] = b.E0;
            work[column + 8] = a.E1; work[column + 48] = b.E1;
            work[column + 16] = a.E2; work[column + 40] = b.E2;
            work[column + 24] = a.E3; work[column + 32] = b.E3;
        }

        var shift = ConstantBits + pass1Bits + 3;
        for (var row = 0; row < 8; row++)
        {
            var w = work.Slice(8 * row, 8);
            Butterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], shift, out var a, out var b);
            var line = target.Slice(row * stride, 8);
            line[7] = (ushort)Math.Clamp(b.E0 + center, 0, max);
            line[0] = (ushort)Math.Clamp(a.E0 + center, 0, max);
            line[1] = (ushort)Math.Clamp(a.E1 + center, 0, max);
            line[2] = (ushort)Math.Clamp(a.E2 + center, 0, max);
            line[3] = (ushort)Math.Clamp(a.E3 + center, 0, max);
            line[4] = (ushort)Math.Clamp(b.E3 + center, 0, max);
            line[5] = (ushort)Math.Clamp(b.E2 + center, 0, max);
            line[6] = (ushort)Math.Clamp(b.E1 + center, 0, max);
        }
    }

    private struct Four
    {
        public int E0, E1, E2, E3;
    }

    /// <summary>One dimension: outputs 0-3 in <paramref name="low"/>, 7-4 in <paramref name="high"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterfly(int c0, int c1, int c2, int c3, int c4, int c5, int c6, int c7, int shift, out Four low, out Four high)
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

        low.E0 = Descale(t10 + o3, shift);
        high.E0 = Descale(t10 - o3, shift);
        low.E1 = Descale(t11 + o2, shift);
        high.E1 = Descale(t11 - o2, shift);
        low.E2 = Descale(t12 + o1, shift);
        high.E2 = Descale(t12 - o1, shift);
        low.E3 = Descale(t13 + o0, shift);
        high.E3 = Descale(t13 - o0, shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Dequantize(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> quantization, int at) => coefficients[at] * quantization[at];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Descale(int value, int shift) => (value + (1 << (shift - 1))) >> shift;
}
