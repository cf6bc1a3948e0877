namespace Platform.Codecs.Htj2k;

/// <summary>The look-up tables of the block coders, made once from the code words.</summary>
internal static class VlcTables
{
    /// <summary>
    /// By context (bits 7-9) and the next seven bits (0-6): length (bits 0-2), whether u follows (3), rho (4-7), e_1 (8-11), e_k (12-15).
    /// 1,024 entries of the first row of quads, then those of the others.
    /// </summary>
    public static readonly ushort[] Decode = MakeDecode();

    /// <summary>
    /// By the u flags of a pair of quads (bits 6-7; 4 in bits 6-8 where both are set and both are above 2) and the next six bits:
    /// prefixes' length (bits 0-2), suffixes' length together (3-6), first suffix's length (7-9), the first's prefix value (10-12),
    /// the second's (13-15). T.814 tables 3 and 4 (7.3.6).
    /// </summary>
    public static readonly ushort[] DecodeFirstU = MakeDecodeU(5, true);

    /// <summary>The same for the other rows of quads, where the second's code never depends on the first's.</summary>
    public static readonly ushort[] DecodeOtherU = MakeDecodeU(4, false);

    /// <summary>
    /// By context (bits 8-10), rho (4-7) and the pattern of the greatest exponents, 0 where no u follows (0-3): length (bits 0-2),
    /// code word (3-9), e_k (10-13). 2,048 entries of the first row of quads, then those of the others.
    /// </summary>
    public static readonly ushort[] Encode = MakeEncode();

    private static ushort[] MakeDecode()
    {
        var table = new ushort[2048];
        for (var row = 0; row < 2; row++)
        {
            foreach (var code in row == 0 ? VlcCodes.FirstRow : VlcCodes.OtherRows)
            {
                uint context = code >> 23, rho = (code >> 19) & 15, hasU = (code >> 18) & 1, known = (code >> 14) & 15, values = (code >> 10) & 15, word = (code >> 3) & 127, length = code & 7;
                for (var bits = word; bits < 128; bits += 1u << (int)length)
                {
                    table[1024 * row + (int)(context << 7 | bits)] = (ushort)(length | hasU << 3 | rho << 4 | values << 8 | known << 12);
                }
            }
        }
        return table;
    }

    private static ushort[] MakeDecodeU(int modes, bool isFirstRow)
    {
        var table = new ushort[64 * modes];
        for (var i = 0; i < table.Length; i++)
        {
            int mode = i >> 6, bits = i & 63;
            var first = (mode & 1) != 0 || mode == 4 ? Prefix(bits) : default;
            var rest = bits >> first.Length;
            var second = mode >= 2 ? Prefix(rest) : default;
            // Both flags set, not both above 2: where the first is, one bit tells 1 from 2.
            if (isFirstRow && mode == 3 && first.Length == 3) second = (1, 0, (rest & 1) + 1);
            var more = mode == 4 ? 2 : 0;
            table[i] = (ushort)(first.Length + second.Length | first.Suffix + second.Suffix << 3 | first.Suffix << 7 | first.Value + more << 10 | second.Value + more << 13);
        }
        return table;
    }

    // The prefix code of u (T.814 table 3): its length, the suffix's length, the least value.
    private static (int Length, int Suffix, int Value) Prefix(int bits) => (bits & 7) switch
    {
        0 => (3, 5, 5),
        4 => (3, 1, 3),
        2 or 6 => (2, 0, 2),
        _ => (1, 0, 1),
    };

    private static ushort[] MakeEncode()
    {
        var table = new ushort[4096];
        for (var i = 0; i < table.Length; i++)
        {
            uint context = (uint)(i >> 8) & 7, rho = (uint)(i >> 4) & 15, greatest = (uint)i & 15;
            uint best = 0;
            foreach (var code in i < 2048 ? VlcCodes.FirstRow : VlcCodes.OtherRows)
            {
                uint known = (code >> 14) & 15, values = (code >> 10) & 15;
                if (code >> 23 != context || ((code >> 19) & 15) != rho || ((code >> 18) & 1) != (greatest != 0 ? 1u : 0u)) continue;
                // Of the words that fit, the one that knows most exponents.
                if ((greatest & known) == values && (best == 0 || uint.PopCount(known) > uint.PopCount((best >> 14) & 15))) best = code;
            }
            table[i] = (ushort)((best & 0x3FF) | ((best >> 14) & 15) << 10);
        }
        return table;
    }
}
