using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>An open file, or a range of it.</summary>
internal sealed class FileRead(SafeFileHandle file, OriginVersion version, FileStamp stamp, long offset, long length) : OriginRead
{
    /// <summary>Bytes per read: few system calls for a frame, and little enough to be held per client that reads slowly.</summary>
    public const int ChunkBytes = 256 << 10;

    public override OriginVersion Version => version;
    public override long TotalLength => stamp.Length;
    public override long Offset => offset;
    public override long Length => length;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, long position, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        var count = (int)Math.Min(buffer.Length, Math.Max(0, length - position));
        return new ValueTask<int>(count == 0 ? 0 : Read(file, buffer.Span[..count], offset + position));
    }

    public override async ValueTask CopyToAsync(EntryWriter to, CancellationToken cancellationToken)
    {
        await FolderOrigin.CopyAsync(file, offset, length, to, cancellationToken);
        CheckUnchanged();
    }

    public override async ValueTask CopyToAsync(PipeWriter to, CancellationToken cancellationToken)
    {
        for (long done = 0; done < length;)
        {
            var memory = to.GetMemory((int)Math.Min(length - done, 64 << 10));
            var read = Read(file, memory.Span[..(int)Math.Min(memory.Length, length - done)], offset + done);
            to.Advance(read);
            done += read;
            var flushed = await to.FlushAsync(cancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled) return;   // nobody reads any more
        }
        CheckUnchanged();
    }

    public override ValueTask DisposeAsync()
    {
        file.Dispose();
        return default;
    }

    /// <summary>Reads at least one byte.</summary>
    internal static int Read(SafeFileHandle file, Span<byte> buffer, long position)
    {
        try
        {
            var read = RandomAccess.Read(file, buffer, position);
            return read > 0 ? read : throw new OriginException(OriginFailure.Changed, "The file is shorter than it was.");
        }
        catch (IOException exception)
        {
            throw new OriginException(OriginFailure.Unreachable, "The file could not be read.", exception);
        }
    }

    private void CheckUnchanged()
    {
        if (FileSystem.GetStamp(file) != stamp) throw new OriginException(OriginFailure.Changed, "The file changed while it was read.");
    }
}

/// <summary>An open file as a source for the DICOM reader. Does not own the handle.</summary>
internal sealed class HandleSource(SafeFileHandle file) : DicomSource
{
    public override long? Length { get; } = RandomAccess.GetLength(file);

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(RandomAccess.Read(file, buffer.Span, offset));
    }
}
