using System.IO.Pipelines;
using Platform.TieredCache;

namespace ImageApi.Origins.Ranged;

/// <summary>
/// A range of an item as it arrives. A body that breaks off is asked for again from where it broke, under the version that it had: the reader does not notice,
/// and no two versions are put together. Not for two callers at once.
/// </summary>
internal sealed class RangedRead(RangedOrigin origin, OriginItem item, RangeAnswer answer) : OriginRead
{
    private const int MaxResumptions = 2;

    /// <summary>A gap up to here is read and dropped: cheaper than another request.</summary>
    private const int SkipBytes = 256 << 10;

    private const int ChunkBytes = 64 << 10;

    private RangeAnswer _answer = answer;
    private long _position;
    private int _resumptions;

    public FileStamp Stamp { get; } = answer.Stamp;
    public override OriginVersion Version { get; } = answer.Version;
    public override long TotalLength => Stamp.Length;
    public override long Offset { get; } = answer.Offset;
    public override long Length { get; } = answer.Length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, long position, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        if (position >= Length || buffer.IsEmpty) return 0;
        if (position < _position || position - _position > SkipBytes) await AskAgainAsync(position, cancellationToken);
        while (_position < position)
        {
            var gap = new byte[Math.Min(ChunkBytes, position - _position)];
            await ReadOnAsync(gap, cancellationToken);
        }
        return await ReadOnAsync(buffer, cancellationToken);
    }

    public override async ValueTask CopyToAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        if (_position != 0) await AskAgainAsync(0, cancellationToken);
        while (_position < Length)
        {
            to.Advance(await ReadOnAsync(to.GetMemory((int)Math.Min(Length - _position, ChunkBytes)), cancellationToken));
            if (_position < Length) await to.FlushAsync(cancellationToken);
        }
    }

    public override async ValueTask CopyToAsync(PipeWriter to, CancellationToken cancellationToken)
    {
        if (_position != 0) await AskAgainAsync(0, cancellationToken);
        while (_position < Length)
        {
            to.Advance(await ReadOnAsync(to.GetMemory((int)Math.Min(Length - _position, ChunkBytes)), cancellationToken));
            var flushed = await to.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled) return;   // nobody reads any more
        }
    }

    public override ValueTask DisposeAsync()
    {
        _answer.Dispose();
        return default;
    }

    /// <summary>Reads at least one byte from where it stands, not beyond the range.</summary>
    private async ValueTask<int> ReadOnAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, Length - _position)];
        while (true)
        {
            try
            {
                var read = await _answer.ReadAsync(buffer, cancellationToken);
                _position += read;
                if (read > 0) return read;
                throw new OriginException(OriginFailure.Unreachable, "The origin's answer ended too early.");
            }
            catch (OriginException) when (_resumptions++ < MaxResumptions)
            {
                await AskAgainAsync(_position, cancellationToken);
            }
        }
    }

    private async ValueTask AskAgainAsync(long position, CancellationToken cancellationToken)
    {
        _answer.Dispose();
        _answer = await origin.AskAsync(item, Version, Offset + position, Length - position, cancellationToken);
        if (_answer.Stamp.Length != TotalLength || _answer.Length != Length - position) throw new OriginException(OriginFailure.Changed, "The item changed while it was read.");
        _position = position;
    }
}
