using System.Buffers;
using System.IO.Pipelines;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>The bytes of a leased value as one sequence: in place, or a copy where they are not in memory as a whole. Valid until it and the lease are disposed.</summary>
internal sealed class LeasedBytes : IDisposable
{
    // What the memory tier keeps at most; a longer value streams through, and waiting for all of it would wait for its reader: us.
    private const long EntryBytesInMemory = 16 << 20;

    private PooledWriter? _copy;

    /// <exception cref="EntryTooLargeException">There are more than <paramref name="maxBytes"/>.</exception>
    public async ValueTask<ReadOnlySequence<byte>> ReadAsync(CacheLease lease, long maxBytes, CancellationToken cancellationToken)
    {
        if (lease.Header.Length is { } known)
        {
            if (known > maxBytes) throw new EntryTooLargeException(maxBytes);
            if (known <= EntryBytesInMemory) await lease.WaitUntilCompleteAsync(cancellationToken);
        }

        if (lease.TryGetBytes(out var bytes)) return bytes;
        _copy = new PooledWriter(maxBytes, lease.Header.Length ?? 0);
        var pipe = PipeWriter.Create(new WriterStream(_copy));
        await lease.CopyToAsync(pipe, 0, null, cancellationToken);
        await pipe.CompleteAsync();
        return new ReadOnlySequence<byte>(_copy.Written);
    }

    public void Dispose()
    {
        _copy?.Dispose();
        _copy = null;
    }

    /// <summary>Lets a lease copy into a buffer.</summary>
    private sealed class WriterStream(PooledWriter writer) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => writer.Length;

        public override long Position { get => writer.Length; set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override void Write(ReadOnlySpan<byte> buffer) => BuffersExtensions.Write(writer, buffer);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
