using Microsoft.Win32.SafeHandles;

namespace Platform.Dicom;

/// <summary>Bytes that can be read anywhere: a file, memory, a seekable stream, ranges of an HTTP resource. Safe for concurrent reads.</summary>
public abstract class DicomSource : IDisposable
{
    /// <summary>Bytes in all; null where not known.</summary>
    public abstract long? Length { get; }

    /// <summary>Reads up to a buffer's length from <paramref name="offset"/>; fewer bytes only at the end, 0 beyond it.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    public virtual void Dispose() { }

    /// <summary>A file, opened for shared reading. Reads block, and complete synchronously.</summary>
    public static DicomSource Open(string path) => new FileSource(path);

    public static DicomSource FromMemory(ReadOnlyMemory<byte> data) => new MemorySource(data);

    /// <summary>
    /// A file that was read whole, so with offsets in the inflated stream for a deflated one; valid until the file is disposed.
    /// </summary>
    public static DicomSource FromFile(DicomFile file)
    {
        if (file.Table is not { HasGaps: false } table) throw new ArgumentException("Only a file that was read with StopBeforePixels = false is in memory.", nameof(file));
        return new MemorySource(table.Bytes);
    }

    /// <summary>A seekable stream, offsets from its beginning; reads take turns. The stream stays open.</summary>
    public static DicomSource FromStream(Stream stream) => new StreamSource(stream);

    private sealed class FileSource(string path) : DicomSource
    {
        private readonly SafeFileHandle _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        public override long? Length => RandomAccess.GetLength(_handle);

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = 0;
            while (count < buffer.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = RandomAccess.Read(_handle, buffer.Span[count..], offset + count);
                if (read == 0) break;
                count += read;
            }
            return new ValueTask<int>(count);
        }

        public override void Dispose() => _handle.Dispose();
    }

    private sealed class MemorySource(ReadOnlyMemory<byte> data) : DicomSource
    {
        public override long? Length => data.Length;

        public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var start = (int)Math.Min(offset, data.Length);
            var count = Math.Min(buffer.Length, data.Length - start);
            data.Span.Slice(start, count).CopyTo(buffer.Span);
            return new ValueTask<int>(count);
        }
    }

    private sealed class StreamSource(Stream stream) : DicomSource
    {
        private readonly SemaphoreSlim _turn = new(1);

        public override long? Length => stream.Length;

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                stream.Seek(offset, SeekOrigin.Begin);
                return await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }

        public override void Dispose() => _turn.Dispose();
    }
}
