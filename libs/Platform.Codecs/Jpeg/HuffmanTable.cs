using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// A Huffman table for decoding (T.81 annex C, F.2.2.3): codes of up to ten bits, nearly all of them, are one look-up; longer ones
/// are found by comparing with the largest code of each length.
/// </summary>
internal sealed class HuffmanTable
{
    public const int LookBits = 10;

    // Per ten bits of the stream an entry as Find gives it, or 0 when the code is longer.
    private readonly uint[] _look = new uint[1 << LookBits];
    private readonly byte[] _counts = new byte[16];
    private readonly byte[] _symbols = new byte[256];

    // Per length: one more than the largest code, left-aligned to 16 bits (0 when there is none); and what turns a code into an index.
    private readonly int[] _limit = new int[18];
    private readonly int[] _base = new int[17];
    private int _kept;   // symbols that the tables were made for; -1 while they are broken

    public bool IsDefined { get; private set; }

    public void Clear() => IsDefined = false;

    /// <summary>Takes the table in.</summary>
    /// <param name="counts">How many codes have each length, 1 to 16 bits.</param>
    /// <param name="symbols">The symbols in order of their codes, at most 256.</param>
    /// <param name="offset">Where the table stands in the stream, for the exception.</param>
    /// <exception cref="InvalidFrameException">The codes do not fit their lengths.</exception>
    public void Define(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols, long offset)
    {
        IsDefined = true;
        // Frames of a series mostly have the same tables.
        if (_kept == symbols.Length && counts.SequenceEqual(_counts) && symbols.SequenceEqual(_symbols.AsSpan(0, symbols.Length))) return;
        _kept = -1;
        counts.CopyTo(_counts);
        symbols.CopyTo(_symbols);
        Array.Clear(_look);
        int code = 0, index = 0;
        for (var length = 1; length <= 16; length++)
        {
            var count = counts[length - 1];
            _base[length] = index - code;
            if (code + count > 1 << length)
            {
                IsDefined = false;
                throw new InvalidFrameException("A Huffman table has more codes than fit.", offset);
            }
            for (var i = 0; i < count; i++, code++, index++)
            {
                if (length > LookBits) continue;
                _look.AsSpan(code << (LookBits - length), 1 << (LookBits - length)).Fill(EntryOf(symbols[index], length));
            }
            _limit[length] = count > 0 ? code << (16 - length) : 0;
            code <<= 1;
        }
        _limit[17] = int.MaxValue;
        _kept = symbols.Length;
    }

    /// <summary>
    /// The code that the bits begin with. Bits 0-7: its length and that of the bits that follow it, as many as the symbol's lower
    /// half says; 8-15: the symbol; 16-23: its length. 0 where no code stands.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Find(ulong bits)
    {
        var entry = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_look), (nint)(bits >> (64 - LookBits)));
        return entry != 0 ? entry : FindLong((int)(bits >> 48));
    }

    private uint FindLong(int bits)
    {
        var length = LookBits + 1;
        while (bits >= _limit[length] && length <= 16) length++;
        return length > 16 ? 0 : EntryOf(_symbols[(_base[length] + (bits >> (16 - length))) & 0xFF], length);
    }

    private static uint EntryOf(int symbol, int length) => (uint)(length << 16 | symbol << 8 | (length + (symbol & 15)));
}
