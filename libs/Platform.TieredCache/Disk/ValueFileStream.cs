namespace Platform.TieredCache;

/// <summary>The verified bytes of a value file as a stream, for what reads streams. Reads a chunk at a time.</summary>
internal sealed class ValueFileStream(ValueFile file) : Stream
{
    private readonly byte[] _chunk = new byte[ValueFile.ChunkBytes];
    private int _from, _to;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_from == _to)
        {
            var size = (int)Math.Min(_chunk.Length, file.StoredBytes - _position);
            if (size == 0) return 0;
            file.Read(_position, _chunk.AsMemory(0, size));
            _position += size;
            (_from, _to) = (0, size);
        }

        var count = Math.Min(buffer.Length, _to - _from);
        _chunk.AsSpan(_from, count).CopyTo(buffer);
        _from += count;
        return count;
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
