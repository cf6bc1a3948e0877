using System.Buffers;

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

    public void Write((uint Code, int Length) code) => Write(code.Code, code.Length);

    /// <summary>The bits after a category's code: the value, or one less where it is negative (F.1.2.1).</summary>
    public void WriteMagnitude(int value, int category)
    {
        if (category > 0) Write((uint)(value < 0 ? value - 1 : value) & ((1u << category) - 1), category);
    }

    /// <summary>Fills the last byte with ones and hands over what is left.</summary>
    public void Finish()
    {
        if (_count > 0) Write((1u << (8 - _count)) - 1, 8 - _count);
        _stream.Advance(_used);
        _used = 0;
        _span = default;
    }

    private void Write(uint bits, int count)
    {
        _bits = _bits << count | bits;
        _count += count;
        while (_count >= 8)
        {
            _count -= 8;
            var value = (byte)(_bits >> _count);
            Put(value);
            if (value == 0xFF) Put(0);
        }
    }

    private void Put(byte value)
    {
        if (_used == _span.Length)
        {
            if (_used > 0) _stream.Advance(_used);
            _span = _stream.GetSpan(Chunk);
            _used = 0;
        }
        _span[_used++] = value;
    }
}
