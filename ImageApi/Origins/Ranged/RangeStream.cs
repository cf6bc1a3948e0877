using System.Buffers;

namespace ImageApi.Origins.Ranged;

/// <summary>
/// An item as a stream to seek in, for parsers that read a little here and a little there. It asks for a block at a time: small after a jump, larger and larger
/// while it is read on. All blocks are of the version of the first one. Read asynchronously, by one caller.
/// </summary>
internal sealed class RangeStream : Stream
{
    /// <summary>The first block where nothing is known of the item: the header of nearly every image.</summary>
    public const int FirstBytes = 32 << 10;

    public const int LeastBytes = 4 << 10;
    public const int MostBytes = 1 << 20;

    private readonly RangedOrigin _origin;
    private readonly OriginItem _item;
    private byte[] _block = [];
    private long _blockStart;
    private int _blockLength;
    private int _nextBytes;
    private long _position;

    private RangeStream(RangedOrigin origin, OriginItem item, int firstBytes) => (_origin, _item, _nextBytes) = (origin, item, firstBytes);

    public OriginVersion Version { get; private set; }
    public FileStamp Stamp { get; private set; }

    public override long Length => Stamp.Length;
    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    /// <summary>Opens an item and reads its first block.</summary>
    /// <exception cref="OriginException">Absent, Changed, or the origin failed.</exception>
    public static async Task<RangeStream> OpenAsync(RangedOrigin origin, OriginItem item, OriginVersion? ifMatch, int firstBytes, CancellationToken cancellationToken)
    {
        var stream = new RangeStream(origin, item, firstBytes);
        try
        {
            await stream.FetchAsync(ifMatch, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= Length || buffer.IsEmpty) return 0;
        if (_position < _blockStart || _position >= _blockStart + _blockLength)
        {
            _nextBytes = _position == _blockStart + _blockLength ? Math.Min(Math.Max(_nextBytes, LeastBytes) * 2, MostBytes) : LeastBytes * 4;
            await FetchAsync(Version, cancellationToken);
        }
        var at = (int)(_position - _blockStart);
        var count = Math.Min(buffer.Length, _blockLength - at);
        _block.AsMemory(at, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => _position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Items behind a network are read asynchronously.");
    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (_block.Length > 0) ArrayPool<byte>.Shared.Return(_block);
        (_block, _blockLength) = ([], 0);
        base.Dispose(disposing);
    }

    private async ValueTask FetchAsync(OriginVersion? ifMatch, CancellationToken cancellationToken)
    {
        await using var read = await _origin.OpenAsync(_item, ifMatch, new ByteRange(_position, _nextBytes), cancellationToken);
        if (ifMatch is not null && Stamp.Length > 0 && read.TotalLength != Stamp.Length) throw new OriginException(OriginFailure.Changed, "The item changed while it was read.");
        (Version, Stamp) = (read.Version, ((RangedRead)read).Stamp);
        if (_block.Length < read.Length)
        {
            if (_block.Length > 0) ArrayPool<byte>.Shared.Return(_block);
            _block = ArrayPool<byte>.Shared.Rent((int)read.Length);
        }
        (_blockStart, _blockLength) = (_position, 0);
        while (_blockLength < read.Length) _blockLength += await read.ReadAsync(_block.AsMemory(_blockLength, (int)read.Length - _blockLength), _blockLength, cancellationToken);
    }
}
