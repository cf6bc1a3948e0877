namespace Platform.Nifti.Gzip;

/// <summary>
/// One prefix code of a deflate block (RFC 1951 3.2): codes of up to <see cref="FastBits"/> bits by a table, longer ones by the canonical
/// order. Refuses codes that contradict themselves, and incomplete ones but for a single code.
/// </summary>
internal sealed class HuffmanTable(int maxSymbols, int fastBits)
{
    public const int MaxBits = 15;
    private readonly ushort[] _fast = new ushort[1 << fastBits];   // symbol << 4 | length; 0: longer, or none
    private readonly ushort[] _sorted = new ushort[maxSymbols];
    private readonly ushort[] _counts = new ushort[MaxBits + 1];

    public int FastBits => fastBits;
    public int FastMask => (1 << fastBits) - 1;

    /// <summary>Symbol &lt;&lt; 4 | length for the code that the lowest bits begin with, 0 when it is longer than the table.</summary>
    public ReadOnlySpan<ushort> Fast => _fast;

    /// <summary>Takes the lengths of the symbols' codes; false when they are no prefix code.</summary>
    public bool TryBuild(ReadOnlySpan<byte> lengths, bool allowsSingle = true)
    {
        Span<ushort> counts = _counts;
        counts.Clear();
        foreach (var length in lengths) counts[length]++;
        var used = lengths.Length - counts[0];
        counts[0] = 0;
        var left = 1;
        for (var length = 1; length <= MaxBits; length++)
        {
            left = (left << 1) - counts[length];
            if (left < 0) return false;
        }
        if (left > 0 && used > 0 && !(allowsSingle && used == 1 && counts[1] == 1)) return false;   // none at all is an error only where one is read

        Span<ushort> offsets = stackalloc ushort[MaxBits + 2];
        Span<int> codes = stackalloc int[MaxBits + 2];
        for (var length = 1; length <= MaxBits; length++)
        {
            offsets[length + 1] = (ushort)(offsets[length] + counts[length]);
            codes[length + 1] = (codes[length] + counts[length]) << 1;
        }
        Array.Clear(_fast);
        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            var length = lengths[symbol];
            if (length == 0) continue;
            _sorted[offsets[length]++] = (ushort)symbol;
            var code = codes[length]++;
            if (length > fastBits) continue;
            var reversed = Reverse(code, length);
            for (var slot = reversed; slot < _fast.Length; slot += 1 << length) _fast[slot] = (ushort)(symbol << 4 | length);
        }
        return true;
    }

    /// <summary>Finds a code bit by bit: symbol &lt;&lt; 4 | length, or 0 when no code begins like this.</summary>
    public int FindLong(ulong bits)
    {
        var (code, first, index) = (0, 0, 0);
        for (var length = 1; length <= MaxBits; length++)
        {
            code |= (int)(bits & 1);
            bits >>= 1;
            var count = _counts[length];
            if (code - first < count) return _sorted[index + (code - first)] << 4 | length;
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        return 0;
    }

    private static int Reverse(int code, int length)
    {
        var reversed = 0;
        for (var i = 0; i < length; i++) reversed |= ((code >> i) & 1) << (length - 1 - i);
        return reversed;
    }
}
