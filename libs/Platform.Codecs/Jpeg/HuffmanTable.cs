namespace Platform.Codecs.Jpeg;

/// <summary>
/// A Huffman table for decoding (T.81 annex C, F.2.2.3): codes of up to nine bits, nearly all of them, are one look-up; longer ones
/// are found by comparing with the largest code of each length.
/// </summary>
internal sealed class HuffmanTable
{
    public const int LookBits = 9;

    // Per nine bits of the stream: length << 8 | symbol, or 0 when the code is longer.
    private readonly ushort[] _look = new ushort[1 << LookBits];
    private readonly byte[] _symbols = new byte[256];

    // Per length: one more than the largest code, left-aligned to 16 bits (0 when there is none); and what turns a code into an index.
    private readonly int[] _limit = new int[18];
    private readonly int[] _base = new int[17];

    public bool IsDefined { get; private set; }

    public void Clear() => IsDefined = false;

    /// <summary>Takes the table in.</summary>
    /// <param name="counts">How many codes have each length, 1 to 16 bits.</param>
    /// <param name="symbols">The symbols in order of their codes.</param>
    /// <param name="offset">Where the table stands in the stream, for the exception.</param>
    /// <exception cref="InvalidFrameException">The codes do not fit their lengths.</exception>
    public void Define(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols, long offset)
    {
        Array.Clear(_look);
        symbols.CopyTo(_symbols);
        int code = 0, index = 0;
        for (var length = 1; length <= 16; length++)
        {
            var count = counts[length - 1];
            _base[length] = index - code;
            if (code + count > 1 << length) throw new InvalidFrameException("A Huffman table has more codes than fit.", offset);
            for (var i = 0; i < count; i++, code++, index++)
            {
                if (length > LookBits) continue;
                _look.AsSpan(code << (LookBits - length), 1 << (LookBits - length)).Fill((ushort)(length << 8 | symbols[index]));
            }
            _limit[length] = count > 0 ? code << (16 - length) : 0;
            code <<= 1;
        }
        _limit[17] = int.MaxValue;
        IsDefined = true;
    }

    /// <summary>The symbol at the reader's position, 0 to 255.</summary>
    /// <exception cref="InvalidFrameException">No code stands there.</exception>
    public int Decode(ref EntropyReader reader)
    {
        reader.Fill();
        var look = _look[reader.Peek(LookBits)];
        if (look != 0)
        {
            reader.Skip(look >> 8);
            return look & 0xFF;
        }

        var bits = reader.Peek(16);
        var length = LookBits + 1;
        while (bits >= _limit[length] && length <= 16) length++;
        if (length > 16) throw new InvalidFrameException("No Huffman code stands here.", reader.Position);
        reader.Skip(length);
        return _symbols[(_base[length] + (bits >> (16 - length))) & 0xFF];
    }
}
