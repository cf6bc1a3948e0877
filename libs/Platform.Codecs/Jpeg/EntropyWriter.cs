using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Codecs.Jpeg;

/// <summary>Writes bits, highest first, and stuffs a zero byte after every 0xFF (T.81 F.1.2.3).</summary>
internal ref struct EntropyWriter(IBufferWriter<byte> stream)
{
    private const int Chunk = 4096;
    private readonly IBufferWriter<byte> _stream = stream;
    private Span<byte> _span;
    private int _used;
    private ulong _bits; // right-aligned
    private int _count;

    /// <summary>Adds a symbol's code and the bits after it: the value's lowest, of one less where it is negative (F.1.2.1).</summary>
    public void Write(HuffmanCodes codes, int symbol, int value, int category)
    {
        var (code, length) = codes[symbol];
        Write(code << category | ((uint)(value + (value >> 31)) & ((1u << category) - 1)), length + category);
    }

    /// <summary>Fills the last byte with ones and hands over what is left.</summary>
    public void Finish()
    {
        if ((_count & 7) > 0) Write((1u << (8 - (_count & 7))) - 1, 8 - (_count & 7));
        while (_count > 0) Drain();
        _stream.Advance(_used);
        _used = 0;
        _span = default;
    }

    // At most 27 bits: a code of 16, a value of 11.
    private void Write(uint bits, int count)
    {
        _bits = _bits << count | bits;
        _count += count;
        if (_count >= 32) Drain();
    }

    private void Drain()
    {
        if (_used + 16 > _span.Length)
        {
            if (_used > 0) _stream.Advance(_used);
            _span = _stream.GetSpan(Chunk);
            _used = 0;
        }
        if (_count >= 32)
        {
            var four = (uint)(_bits >> (_count - 32));
            // No byte is 0xFF when no byte of the complement is zero.
            if (((~four - 0x01010101) & four & 0x80808080) == 0)
            {
                BinaryPrimitives.WriteUInt32BigEndian(_span[_used..], four);
                _used += 4;
                _count -= 32;
                return;
            }
        }
        while (_count >= 8)
        {
            _count -= 8;
            var value = (byte)(_bits >> _count);
            _span[_used++] = value;
            if (value == 0xFF) _span[_used++] = 0;
        }
    }
}
