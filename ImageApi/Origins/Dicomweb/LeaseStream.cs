using System.Buffers;
using System.IO.Pipelines;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>A cached value as a seekable stream: in place where memory has it, else from a file of its own that goes with the stream. Disposes the lease.</summary>
internal static class LeaseStream
{
    public static async Task<Stream> OpenAsync(CacheLease lease, CancellationToken cancellationToken)
    {
        try
        {
            if (lease.TryGetBytes(out var bytes)) return new InPlace(lease, bytes);
            await using (lease)
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                var file = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options);
                try
                {
                    var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
                    await lease.CopyToAsync(pipe, 0, null, cancellationToken);
                    await pipe.CompleteAsync();
                    file.Position = 0;
                    return file;
                }
                catch
                {
                    await file.DisposeAsync();
                    throw;
                }
            }
        }
        catch
        {
            await lease.DisposeAsync();   // twice is harmless
            throw;
        }
    }

    private sealed class InPlace(CacheLease lease, ReadOnlySequence<byte> bytes) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => bytes.Length;
        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, Math.Max(0, bytes.Length - Position));
            bytes.Slice(Math.Min(Position, bytes.Length), count).CopyTo(buffer);
            Position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new ValueTask<int>(Read(buffer.Span));

        public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };

        public override void Flush() { }
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) _ = lease.DisposeAsync();
            base.Dispose(disposing);
        }

        public override ValueTask DisposeAsync()
        {
            GC.SuppressFinalize(this);
            return lease.DisposeAsync();
        }
    }
}
