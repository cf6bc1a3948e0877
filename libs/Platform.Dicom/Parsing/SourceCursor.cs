using System.Buffers;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Platform.Dicom.Parsing;

/// <summary>A source read from front to back, with stretches left out.</summary>
internal abstract class SourceCursor : IDisposable
{
    /// <summary>Bytes in all, null where not known.</summary>
    public abstract long? Length { get; }

    /// <summary>Reads what comes next; 0 at the end.</summary>
    public abstract int Read(Span<byte> buffer);

    public virtual ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(Read(buffer.Span));
    }

    /// <summary>Leaves bytes out where the source can do so without reading them.</summary>
    public virtual bool TrySkip(long bytes) => false;

    public virtual void Dispose() { }
}

internal sealed class FileCursor : SourceCursor
{
    private readonly SafeFileHandle _handle;
    private long _offset;

    public FileCursor(string path)
    {
        // Others may write, move and delete it meanwhile. The runtime still takes an advisory lock, two of the seven system calls that a header
        // costs, unless the application sets System.IO.DisableFileLocking.
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(_handle);
        Length = length > 0 ? length : null;
    }

    public override long? Length { get; }

    public override int Read(Span<byte> buffer)
    {
        var read = RandomAccess.Read(_handle, buffer, _offset);
        _offset += read;
        return read;
    }

    public override bool TrySkip(long bytes)
    {
        _offset += bytes;
        return true;
    }

    public override void Dispose() => _handle.Dispose();
}

/// <summary>A stream from its position on; it stays open.</summary>
internal sealed class StreamCursor(Stream stream) : SourceCursor
{
    public override long? Length { get; } = stream.CanSeek ? stream.Length - stream.Position : null;

    public override int Read(Span<byte> buffer) => stream.Read(buffer);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => stream.ReadAsync(buffer, cancellationToken);

    public override bool TrySkip(long bytes)
    {
        if (!stream.CanSeek) return false;
        stream.Seek(bytes, SeekOrigin.Current);
        return true;
    }
}

internal sealed class SequenceCursor(ReadOnlySequence<byte> data) : SourceCursor
{
    private ReadOnlySequence<byte> _rest = data;

    public override long? Length { get; } = data.Length;

    public override int Read(Span<byte> buffer)
    {
        var part = _rest.Slice(0, Math.Min(buffer.Length, _rest.Length));
        part.CopyTo(buffer);
        _rest = _rest.Slice(part.End);
        return (int)part.Length;
    }

    public override bool TrySkip(long bytes)
    {
        _rest = _rest.Slice(bytes);
        return true;
    }
}

/// <summary>What a deflated data set inflates to, bounded.</summary>
internal sealed class InflatingCursor : SourceCursor
{
    private readonly SourceCursor _source;
    private readonly CompressedStream _compressed;
    private readonly DeflateStream _inflater;
    private readonly long _limit;
    private long _inflated;

    /// <param name="head">The compressed bytes that were read from the source already.</param>
    /// <param name="keepsCompressed">Whether to keep what is inflated as it was, so that it can be written again byte for byte.</param>
    public InflatingCursor(ReadOnlyMemory<byte> head, SourceCursor source, long limit, bool keepsCompressed)
    {
        _source = source;
        _compressed = new CompressedStream(head, source, keepsCompressed ? new ArrayBufferWriter<byte>() : null);
        _inflater = new DeflateStream(_compressed, CompressionMode.Decompress);
        _limit = limit;
    }

    public override long? Length => null;

    /// <summary>The compressed bytes so far, where they are kept.</summary>
    public ReadOnlyMemory<byte> Compressed => _compressed.Kept?.WrittenMemory ?? default;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            var read = Count(_inflater.Read(buffer));
            while (read == 0 && _compressed.Kept is not null && _compressed.Read(new byte[512]) > 0) { }    // padding after the stream
            return read;
        }
        catch (InvalidDataException exception)
        {
            throw NotDeflate(exception);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var read = Count(await _inflater.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));
            while (read == 0 && _compressed.Kept is not null && await _compressed.ReadAsync(new byte[512], cancellationToken).ConfigureAwait(false) > 0) { }
            return read;
        }
        catch (InvalidDataException exception)
        {
            throw NotDeflate(exception);
        }
    }

    public override void Dispose()
    {
        _inflater.Dispose();
        _source.Dispose();
    }

    private int Count(int bytes)
    {
        _inflated += bytes;
        return _inflated <= _limit ? bytes : throw new DicomParseException("The data set inflates to more than the limit.", _inflated);
    }

    private DicomParseException NotDeflate(Exception inner) => new("The data set is not a valid deflated stream.", _inflated, null, inner);

    private sealed class CompressedStream(ReadOnlyMemory<byte> head, SourceCursor source, ArrayBufferWriter<byte>? kept) : Stream
    {
        private ReadOnlyMemory<byte> _head = head;

        public ArrayBufferWriter<byte>? Kept => kept;

        public override int Read(Span<byte> buffer)
        {
            var count = _head.IsEmpty ? source.Read(buffer) : TakeHead(buffer);
            kept?.Write(buffer[..count]);
            return count;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = _head.IsEmpty ? await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) : TakeHead(buffer.Span);
            kept?.Write(buffer.Span[..count]);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        private int TakeHead(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, _head.Length);
            _head.Span[..count].CopyTo(buffer);
            _head = _head[count..];
            return count;
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
