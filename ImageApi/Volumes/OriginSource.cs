using System.Buffers;
using ImageApi.Origins;
using Platform.Nifti;

namespace ImageApi.Volumes;

/// <summary>
/// A file of an origin for the NIfTI reader: the beginning in memory, the rest as one stream that is read on, all of one version. For one
/// reader at a time; going back beyond the beginning costs another request.
/// </summary>
internal sealed class OriginSource : NiftiSource, IAsyncDisposable
{
    /// <summary>Read at once: a header, inflated or not, is in it.</summary>
    private const int HeadBytes = 64 << 10;

    private readonly IFileOrigin _origin;
    private readonly OriginItem _item;
    private readonly OriginVersion _version;
    private readonly byte[] _head;
    private readonly int _headLength;
    private OriginRead _read;
    private long _position;

    private OriginSource(IFileOrigin origin, OriginItem item, OriginRead read, byte[] head, int headLength)
    {
        (_origin, _item, _version, _read, _head, _headLength) = (origin, item, read.Version, read, head, headLength);
        _position = headLength;
        Length = read.TotalLength;
    }

    public override long Length { get; }

    /// <summary>Opens a file and reads its beginning.</summary>
    /// <param name="origin">Where it is.</param>
    /// <param name="item">What it is.</param>
    /// <param name="version">The version that its description will be kept under.</param>
    /// <param name="isWhole">Ask for all of it, because all will be read; else for the beginning alone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OriginException">Absent, Changed, or the origin failed.</exception>
    public static async Task<OriginSource> OpenAsync(IFileOrigin origin, OriginItem item, OriginVersion version, bool isWhole, CancellationToken cancellationToken)
    {
        OriginRead? read = null;
        var head = ArrayPool<byte>.Shared.Rent(HeadBytes);
        try
        {
            read = await origin.OpenAsync(item, version, isWhole ? null : new ByteRange(0, HeadBytes), cancellationToken);
            var count = 0;
            while (count < HeadBytes)
            {
                var got = await read.ReadAsync(head.AsMemory(count, HeadBytes - count), count, cancellationToken);
                if (got == 0) break;
                count += got;
            }
            return new OriginSource(origin, item, read, head, count);
        }
        catch (Exception exception)
        {
            ArrayPool<byte>.Shared.Return(head);
            if (read is not null) await read.DisposeAsync();
            if (exception is ArgumentOutOfRangeException) throw new InvalidNiftiException("The file is empty.", 0, exception);
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (offset >= Length || buffer.IsEmpty) return 0;
        if (offset < _headLength)
        {
            var count = (int)Math.Min(buffer.Length, _headLength - offset);
            _head.AsMemory((int)offset, count).CopyTo(buffer);
            return count;
        }
        if (offset != _position || offset >= _read.Offset + _read.Length)
        {
            await _read.DisposeAsync();
            _read = await _origin.OpenAsync(_item, _version, new ByteRange(offset, null), cancellationToken);
            _position = offset;
        }
        var got = await _read.ReadAsync(buffer, offset - _read.Offset, cancellationToken);
        _position += got;
        return got;
    }

    public async ValueTask DisposeAsync()
    {
        ArrayPool<byte>.Shared.Return(_head);
        await _read.DisposeAsync();
    }
}
