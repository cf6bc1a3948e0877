namespace Platform.Codecs.Jpeg2000;

/// <summary>Bits of a packet header: after a byte 0xFF the next has seven (T.800 B.10.1).</summary>
internal ref struct PacketBits(ReadOnlySpan<byte> data, int position)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _bits;
    private int _last;

    /// <summary>The byte after the last one read.</summary>
    public int Position { get; private set; } = position;

    /// <summary>Bits were asked for beyond the end; they were zero.</summary>
    public bool IsExhausted { get; private set; }

    public int Read()
    {
        if (_bits == 0)
        {
            _bits = _last == 0xFF ? 7 : 8;
            if (Position < _data.Length)
            {
                _last = _data[Position++];
            }
            else
            {
                _last = 0;
                IsExhausted = true;
            }
        }
        return (_last >> --_bits) & 1;
    }

    public int Read(int count)
    {
        var value = 0;
        while (count-- > 0) value = value << 1 | Read();
        return value;
    }

    /// <summary>Goes to the next whole byte: a header that ends in 0xFF is followed by a stuffed one.</summary>
    public void Align()
    {
        _bits = 0;
        if (_last == 0xFF && Position < _data.Length) Position++;
        _last = 0;
    }
}

/// <summary>Writes what <see cref="PacketBits"/> reads. The target must be large enough.</summary>
internal ref struct PacketBitWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;
    private int _current;
    private int _free = 8;

    public int Length { get; private set; }

    public void Write(int value, int count)
    {
        while (count-- > 0)
        {
            _current = _current << 1 | ((value >> count) & 1);
            if (--_free == 0) Emit();
        }
    }

    /// <summary>Ends the header on a whole byte; one that would end in 0xFF gets a byte more.</summary>
    public void Align()
    {
        if (_free == 8) return;
        _current <<= _free;
        Emit();
    }

    private void Emit()
    {
        _target[Length++] = (byte)_current;
        _free = _current == 0xFF ? 7 : 8;
        _current = 0;
    }
}
