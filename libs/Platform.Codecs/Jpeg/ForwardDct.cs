namespace Platform.Codecs.Jpeg;

/// <summary>The forward 8x8 cosine transform, the same factorisation and constants as <see cref="InverseDct"/>; coefficients come out 8 times too large.</summary>
internal static class ForwardDct
{
    private const int ConstantBits = 13, Pass1Bits = 2;
    private const int F0_298 = 2446, F0_390 = 3196, F0_541 = 4433, F0_765 = 6270, F0_899 = 7373, F1_175 = 9633,
        F1_501 = 12299, F1_847 = 15137, F1_961 = 16069, F2_053 = 16819, F2_562 = 20995, F3_072 = 25172;

    /// <summary>Transforms 64 samples around zero, row by row, in place.</summary>
    public static void Transform(Span<int> block)
    {
        for (var row = 0; row < 64; row += 8) Pass(block[row..], 1, isFirst: true);
        for (var column = 0; column < 8; column++) Pass(block[column..], 8, isFirst: false);
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
}
