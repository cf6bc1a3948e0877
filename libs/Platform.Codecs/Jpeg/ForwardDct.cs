using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// The forward 8x8 cosine transform, the same factorisation and constants as <see cref="InverseDct"/>, and quantization. The vectors'
/// lanes compute what the scalars compute.
/// </summary>
internal static class ForwardDct
{
    private const int ConstantBits = 13, Pass1Bits = 2;
    private const int F0_298 = 2446, F0_390 = 3196, F0_541 = 4433, F0_765 = 6270, F0_899 = 7373, F1_175 = 9633,
        F1_501 = 12299, F1_847 = 15137, F1_961 = 16069, F2_053 = 16819, F2_562 = 20995, F3_072 = 25172;

    /// <summary>Transforms a block and divides its coefficients, halves rounded away from zero.</summary>
    /// <param name="plane">Samples around zero, of at most 8 bits.</param>
    /// <param name="stride">Samples from one row to the next.</param>
    /// <param name="sampling">1: a sample each; 2: the means of 2 x 2 samples.</param>
    /// <param name="quantization">64 factors, row by row.</param>
    /// <param name="block">Takes 64 coefficients, row by row.</param>
    /// <param name="isVectorized">False for the scalar twin.</param>
    /// <returns>How many coefficients are not zero.</returns>
    public static int TransformAndQuantize(ReadOnlySpan<short> plane, int stride, int sampling, ReadOnlySpan<ushort> quantization, Span<int> block, bool isVectorized)
    {
        if (isVectorized && Avx2.IsSupported) return TransformVectors(plane, stride, sampling, quantization[..64], block[..64]);
        for (var y = 0; y < 8; y++)
        {
            for (var x = 0; x < 8; x++)
            {
                var at = (y * stride + x) * sampling;
                block[8 * y + x] = sampling == 1 ? plane[at] : (plane[at] + plane[at + 1] + plane[at + stride] + plane[at + stride + 1] + 2) >> 2;
            }
        }
        for (var row = 0; row < 64; row += 8) Pass(block[row..], 1, isFirst: true);
        for (var column = 0; column < 8; column++) Pass(block[column..], 8, isFirst: false);
        var count = 0;
        for (var i = 0; i < 64; i++)
        {
            var divisor = quantization[i] << 3;      // the transform's factor 8 goes with it
            var value = block[i];
            block[i] = value >= 0 ? (value + (divisor >> 1)) / divisor : -((-value + (divisor >> 1)) / divisor);
            if (block[i] != 0) count++;
        }
        return count;
    }

    private static void Pass(Span<int> d, int step, bool isFirst)
    {
        int s0 = d[0], s1 = d[step], s2 = d[2 * step], s3 = d[3 * step], s4 = d[4 * step], s5 = d[5 * step], s6 = d[6 * step], s7 = d[7 * step];
        int t0 = s0 + s7, t7 = s0 - s7, t1 = s1 + s6, t6 = s1 - s6, t2 = s2 + s5, t5 = s2 - s5, t3 = s3 + s4, t4 = s3 - s4;
        int t10 = t0 + t3, t13 = t0 - t3, t11 = t1 + t2, t12 = t1 - t2;
        var shift = isFirst ? ConstantBits - Pass1Bits : ConstantBits + Pass1Bits;

        d[0] = isFirst ? (t10 + t11) << Pass1Bits : Descale(t10 + t11, Pass1Bits);
        d[4 * step] = isFirst ? (t10 - t11) << Pass1Bits : Descale(t10 - t11, Pass1Bits);
        var z1 = (t12 + t13) * F0_541;
        d[2 * step] = Descale(z1 + t13 * F0_765, shift);
        d[6 * step] = Descale(z1 - t12 * F1_847, shift);

        z1 = t4 + t7;
        int z2 = t5 + t6, z3 = t4 + t6, z4 = t5 + t7;
        var z5 = (z3 + z4) * F1_175;
        z1 *= -F0_899;
        z2 *= -F2_562;
        z3 = z3 * -F1_961 + z5;
        z4 = z4 * -F0_390 + z5;
        d[7 * step] = Descale(t4 * F0_298 + z1 + z3, shift);
        d[5 * step] = Descale(t5 * F2_053 + z2 + z4, shift);
        d[3 * step] = Descale(t6 * F3_072 + z2 + z3, shift);
        d[step] = Descale(t7 * F1_501 + z1 + z4, shift);
    }

    private static int Descale(int value, int shift) => (value + (1 << (shift - 1))) >> shift;

    private static unsafe int TransformVectors(ReadOnlySpan<short> plane, nint stride, int sampling, ReadOnlySpan<ushort> quantization, Span<int> block)
    {
        _ = plane[(int)((8 * sampling - 1) * stride) + 8 * sampling - 1];     // all that is read is there
        fixed (short* p = plane)
        fixed (ushort* q = quantization)
        fixed (int* to = block)
        {
            Vector256<int> r0, r1, r2, r3, r4, r5, r6, r7;
            if (sampling == 1)
            {
                (r0, r1, r2, r3) = (Avx2.ConvertToVector256Int32(p), Avx2.ConvertToVector256Int32(p + stride), Avx2.ConvertToVector256Int32(p + 2 * stride), Avx2.ConvertToVector256Int32(p + 3 * stride));
                (r4, r5, r6, r7) = (Avx2.ConvertToVector256Int32(p + 4 * stride), Avx2.ConvertToVector256Int32(p + 5 * stride), Avx2.ConvertToVector256Int32(p + 6 * stride), Avx2.ConvertToVector256Int32(p + 7 * stride));
            }
            else
            {
                (r0, r1, r2, r3) = (Mean(p, stride), Mean(p + 2 * stride, stride), Mean(p + 4 * stride, stride), Mean(p + 6 * stride, stride));
                (r4, r5, r6, r7) = (Mean(p + 8 * stride, stride), Mean(p + 10 * stride, stride), Mean(p + 12 * stride, stride), Mean(p + 14 * stride, stride));
            }
            InverseDct.Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, isFirst: true);
            InverseDct.Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, isFirst: false);
            return Quantize(r0, q, to) + Quantize(r1, q + 8, to + 8) + Quantize(r2, q + 16, to + 16) + Quantize(r3, q + 24, to + 24)
                + Quantize(r4, q + 32, to + 32) + Quantize(r5, q + 40, to + 40) + Quantize(r6, q + 48, to + 48) + Quantize(r7, q + 56, to + 56);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<int> Mean(short* p, nint stride) =>
        (Avx2.MultiplyAddAdjacent(Vector256.Load(p) + Vector256.Load(p + stride), Vector256.Create((short)1)) + Vector256.Create(2)) >> 2;

    // Quotients are below 2^17 and divided exactly before they are cut: a float has bits enough to never reach the next whole number.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe int Quantize(Vector256<int> values, ushort* quantization, int* target)
    {
        var divisor = Avx2.ConvertToVector256Int32(quantization) << 3;
        var quotient = Avx.ConvertToVector256Int32WithTruncation(Vector256.ConvertToSingle(Vector256.Abs(values) + (divisor >>> 1)) / Vector256.ConvertToSingle(divisor));
        Avx2.Sign(quotient, values).Store(target);
        return 8 - BitOperations.PopCount(Vector256.Equals(quotient, Vector256<int>.Zero).ExtractMostSignificantBits());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(ref Vector256<int> s0, ref Vector256<int> s1, ref Vector256<int> s2, ref Vector256<int> s3,
        ref Vector256<int> s4, ref Vector256<int> s5, ref Vector256<int> s6, ref Vector256<int> s7, bool isFirst)
    {
        Vector256<int> t0 = s0 + s7, t7 = s0 - s7, t1 = s1 + s6, t6 = s1 - s6, t2 = s2 + s5, t5 = s2 - s5, t3 = s3 + s4, t4 = s3 - s4;
        Vector256<int> t10 = t0 + t3, t13 = t0 - t3, t11 = t1 + t2, t12 = t1 - t2;
        var shift = isFirst ? ConstantBits - Pass1Bits : ConstantBits + Pass1Bits;

        s0 = isFirst ? (t10 + t11) << Pass1Bits : Descale(t10 + t11, Pass1Bits);
        s4 = isFirst ? (t10 - t11) << Pass1Bits : Descale(t10 - t11, Pass1Bits);
        var z1 = (t12 + t13) * F0_541;
        s2 = Descale(z1 + t13 * F0_765, shift);
        s6 = Descale(z1 - t12 * F1_847, shift);

        z1 = t4 + t7;
        Vector256<int> z2 = t5 + t6, z3 = t4 + t6, z4 = t5 + t7;
        var z5 = (z3 + z4) * F1_175;
        z1 *= -F0_899;
        z2 *= -F2_562;
        z3 = z3 * -F1_961 + z5;
        z4 = z4 * -F0_390 + z5;
        s7 = Descale(t4 * F0_298 + z1 + z3, shift);
        s5 = Descale(t5 * F2_053 + z2 + z4, shift);
        s3 = Descale(t6 * F3_072 + z2 + z3, shift);
        s1 = Descale(t7 * F1_501 + z1 + z4, shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Descale(Vector256<int> value, int shift) => (value + Vector256.Create(1 << (shift - 1))) >> shift;
}
