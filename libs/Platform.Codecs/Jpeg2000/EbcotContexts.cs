namespace Platform.Codecs.Jpeg2000;

/// <summary>The contexts of the coding passes (T.800 annex D.3), as tables over neighbourhoods.</summary>
internal static class EbcotContexts
{
    public const int Sign = 9, Refinement = 14, RunLength = 17, Uniform = 18, Count = 19;

    /// <summary>
    /// The zero coding context (table D.1): by 512 times the band's orientation, plus the nine bits of the neighbourhood, from the upper left, the
    /// sample itself in bit 4.
    /// </summary>
    public static readonly byte[] ZeroCoding = MakeZeroCoding();

    /// <summary>
    /// The sign's context and, in bit 7, its flip (tables D.2 and D.3): by two bits for each of the upper, left, right and lower neighbour, from the
    /// lowest: whether it is negative, whether it is significant.
    /// </summary>
    public static readonly byte[] SignCoding = MakeSignCoding();

    /// <summary>Puts the contexts into their first states (table D.7).</summary>
    public static void Reset(Span<byte> contexts)
    {
        contexts.Clear();
        contexts[0] = 4 << 1;
        contexts[RunLength] = 3 << 1;
        contexts[Uniform] = 46 << 1;
    }

    private static byte[] MakeZeroCoding()
    {
        var table = GC.AllocateArray<byte>(4 * 512, pinned: true);
        for (var orientation = 0; orientation < 4; orientation++)
        {
            for (var n = 0; n < 512; n++)
            {
                int h = Bit(n, 3) + Bit(n, 5), v = Bit(n, 1) + Bit(n, 7), d = Bit(n, 0) + Bit(n, 2) + Bit(n, 6) + Bit(n, 8);
                table[512 * orientation + n] = (byte)(orientation switch { 1 => AcrossBand(v, h, d), 3 => DiagonalBand(h + v, d), _ => AcrossBand(h, v, d) });
            }
        }
        return table;

        static int Bit(int value, int bit) => value >> bit & 1;

        static int AcrossBand(int h, int v, int d) => h switch
        {
            2 => 8,
            1 => v >= 1 ? 7 : d >= 1 ? 6 : 5,
            _ => v == 2 ? 4 : v == 1 ? 3 : Math.Min(d, 2),
        };

        static int DiagonalBand(int hv, int d) => d switch
        {
            >= 3 => 8,
            2 => hv >= 1 ? 7 : 6,
            1 => 3 + Math.Min(hv, 2),
            _ => Math.Min(hv, 2),
        };
    }

    private static byte[] MakeSignCoding()
    {
        var table = GC.AllocateArray<byte>(256, pinned: true);
        for (var i = 0; i < 256; i++)
        {
            var h = Math.Clamp(Part(i >> 2) + Part(i >> 4), -1, 1);
            var v = Math.Clamp(Part(i) + Part(i >> 6), -1, 1);
            var isFlipped = h < 0 || (h == 0 && v < 0);
            if (isFlipped) (h, v) = (-h, -v);
            var context = h == 1 ? 12 + v : 9 + v;
            table[i] = (byte)(context | (isFlipped ? 0x80 : 0));
        }
        return table;

        static int Part(int i) => (i & 2) == 0 ? 0 : (i & 1) == 0 ? 1 : -1;
    }
}
