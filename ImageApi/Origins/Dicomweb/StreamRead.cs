using System.IO.Pipelines;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>A range of a seekable stream that is complete. Owns the stream; not for concurrent reads.</summary>
internal sealed class StreamRead(Stream stream, OriginVersion version, long offset, long length) : OriginRead
{
    private const int ChunkBytes = 64 << 10;

    public override OriginVersion Version => version;
    public override long TotalLength { get; } = stream.Length;
    public override long Offset => offset;
    public override long Length => length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, long position, CancellationToken cancellationToken)
    {
        var count = (int)Math.Min(buffer.Length, Math.Max(0, length - position));
        stream.Position = offset + position;
        return count == 0 ? 0 : await stream.ReadAsync(buffer[..count], cancellationToken);
    }

    public override async ValueTask CopyToAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        for (long done = 0; done < length;)
        {
            var read = await ReadAsync(to.GetMemory((int)Math.Min(length - done, ChunkBytes)), done, cancellationToken);
            to.Advance(read);
            done += read;
            await to.FlushAsync(cancellationToken);
        }
    }

    public override async ValueTask CopyToAsync(PipeWriter to, CancellationToken cancellationToken)
    {
        for (long done = 0; done < length;)
        {
            var read = await ReadAsync(to.GetMemory((int)Math.Min(length - done, ChunkBytes)), done, cancellationToken);
            to.Advance(read);
            done += read;
            var flushed = await to.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled) return;   // nobody reads any more
        }
    }

    public override ValueTask DisposeAsync() => stream.DisposeAsync();
}
