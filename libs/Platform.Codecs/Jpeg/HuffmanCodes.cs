namespace Platform.Codecs.Jpeg;

/// <summary>A Huffman table for encoding: the code of each symbol and its length (T.81 annex C).</summary>
internal sealed class HuffmanCodes
{
    private readonly ushort[] _code = new ushort[256];
    private readonly byte[] _length = new byte[256];

    public HuffmanCodes(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        int code = 0, index = 0;
        for (var length = 1; length <= 16; length++, code <<= 1)
        {
            for (var i = 0; i < counts[length - 1]; i++, index++, code++)
            {
                _code[symbols[index]] = (ushort)code;
                _length[symbols[index]] = (byte)length;
            }
        }
    }

    public (uint Code, int Length) this[int symbol] => (_code[symbol], _length[symbol]);
}
