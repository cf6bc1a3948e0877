namespace Platform.Codecs.Jpeg2000;

/// <summary>The bits of passes that bypass the arithmetic coder (T.800 D.6): after a byte 0xFF the next has seven; ones beyond the end.</summary>
internal unsafe struct RawBits(byte* bytes, int length)
{
    private readonly byte* _end = bytes + length;
    private byte* _next = bytes;
    private int _current;
    private int _left;

    public uint Read()
    {
        if (_left == 0)
        {
            _left = _current == 0xFF ? 7 : 8;
            _current = _next < _end ? *_next++ : 0xFF;
        }
        return (uint)(_current >> --_left) & 1;
    }
}
