using Microsoft.Win32.SafeHandles;

namespace Platform.Nifti;

/// <summary>Bytes that can be read anywhere: a file, memory, ranges of something remote. Safe for concurrent reads.</summary>
public abstract class NiftiSource : IDisposable
{
    /// <summary>Bytes in all.</summary>
    public abstract long Length { get; }

    /// <summary>Reads up to a buffer's length from <paramref name="offset"/>; may give fewer bytes, gives 0 only at or beyond the end.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    public virtual void Dispose() { }

    /// <summary>A file, opened for shared reading.</summary>
    public static NiftiSource Open(string path) => new FileSource(path);

    public static NiftiSource FromMemory(ReadOnlyMemory<byte> data) => new MemorySource(data);

    /// <summary>Fills the buffer as far as there are bytes; returns how many.</summary>
    public async ValueTask<int> ReadFullyAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < buffer.Length)
        {
            var read = await ReadAsync(offset + done, buffer[done..], cancellationToken).ConfigureAwait(false);
            if (read == 0) break;
            done += read;
        }
        return done;
    }

    private sealed class FileSource(string path) : NiftiSource
    {
        private readonly SafeFileHandle _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        public override long Length => RandomAccess.GetLength(_handle);

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ValueTask<int>(RandomAccess.Read(_handle, buffer.Span, offset));
        }

        public override void Dispose() => _handle.Dispose();
    }

    private sealed class MemorySource(ReadOnlyMemory<byte> data) : NiftiSource
    {
        public override long Length => data.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var start = (int)Math.Min(offset, data.Length);
            var count = Math.Min(buffer.Length, data.Length - start);
            data.Span.Slice(start, count).CopyTo(buffer.Span);
            return new ValueTask<int>(count);
        }
    }
}
