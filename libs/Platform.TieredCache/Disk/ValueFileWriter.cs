using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// Writes one value file under a temporary name: header, chunks with their checksums, the header again when length and
/// digest are known, at last the rename. Written bytes can be read through <see cref="File"/> meanwhile. One writer thread
/// at a time. Nothing is flushed to the device: what a power cut leaves half written does not match its checksums.
/// </summary>
internal sealed class ValueFileWriter : IDisposable
{
    private const int StageChunks = 4, Stride = ValueFile.ChunkBytes + ValueFile.TrailerBytes;

    private readonly FileStream _stream;
    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly int _headerSize;
    private byte[]? _stage = ArrayPool<byte>.Shared.Rent(StageChunks * Stride);
    private byte[]? _scratch;         // where a caller wants more in one piece than the stage has left
    private int _staged;              // bytes in the stage, trailers included, all chunks before the last one full
    private int _inChunk;             // bytes of the chunk that is being filled
    private long _chunk;
    private long _fileAt;
    private bool _isFinished, _isCommitted, _isInScratch;

    public ValueFileWriter(string temporaryPath, ValueFileHeader header, Action<ValueFile>? onDamaged)
    {
        Header = header;
        TemporaryPath = temporaryPath;
        _headerSize = header.Size;
        _fileAt = _headerSize;
        // The shared lock that comes with it tells who tidies up that the writer lives.
        _stream = DiskFolder.Open(temporaryPath, FileMode.CreateNew, FileShare.ReadWrite | FileShare.Delete);
        File = new ValueFile(temporaryPath, _stream.SafeFileHandle, _headerSize, header.Nonce) { OnDamaged = onDamaged };
    }

    public ValueFileHeader Header { get; private set; }

    /// <summary>The file, readable as far as <see cref="WriteStaged"/> came. Whoever takes it closes it.</summary>
    public ValueFile File { get; }

    public string TemporaryPath { get; }

    /// <summary>Bytes given to the writer.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>At least <paramref name="sizeHint"/> bytes to fill, then <see cref="Advance"/>.</summary>
    public Memory<byte> GetMemory(int sizeHint)
    {
        if (_staged == StageChunks * Stride) WriteStaged();
        var room = ValueFile.ChunkBytes - _inChunk;
        if (sizeHint <= room) return _stage.AsMemory(_staged, room);
        if (_scratch is null || _scratch.Length < sizeHint)
        {
            if (_scratch is not null) ArrayPool<byte>.Shared.Return(_scratch);
            _scratch = ArrayPool<byte>.Shared.Rent(sizeHint);
        }

        _isInScratch = true;
        return _scratch;
    }

    public void Advance(int count)
    {
        if (_isInScratch)
        {
            _isInScratch = false;
            Write(_scratch.AsSpan(0, count));
            return;
        }

        _staged += count;
        _inChunk += count;
        WrittenBytes += count;
        if (_inChunk == ValueFile.ChunkBytes) EndChunk();
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_staged == StageChunks * Stride) WriteStaged();
            var size = Math.Min(bytes.Length, ValueFile.ChunkBytes - _inChunk);
            bytes[..size].CopyTo(_stage.AsSpan(_staged));
            bytes = bytes[size..];
            _staged += size;
            _inChunk += size;
            WrittenBytes += size;
            if (_inChunk == ValueFile.ChunkBytes) EndChunk();
        }
    }

    /// <summary>Brings the chunks that are complete into the file, where readers find them.</summary>
    public void WriteStaged()
    {
        var whole = _staged - _inChunk;
        if (whole == 0) return;
        RandomAccess.Write(_stream.SafeFileHandle, _stage.AsSpan(0, whole), _fileAt);
        _fileAt += whole;
        _stage.AsSpan(whole, _inChunk).CopyTo(_stage);
        _staged = _inChunk;
        File.StoredBytes = _chunk * ValueFile.ChunkBytes;
    }

    /// <summary>Bytes that are not in the file yet: after a failed write they go another way.</summary>
    public void CopyUnwritten(IBufferWriter<byte> to)
    {
        for (var at = 0; at < _staged; at += Stride)
            to.Write(_stage.AsSpan(at, Math.Min(ValueFile.ChunkBytes, _staged - at)));
    }

    /// <summary>Writes the last chunk and the final header. The file is then readable to its end, under its temporary name.</summary>
    public void Finish(EntryHeader entry)
    {
        if (_inChunk > 0) EndChunk();
        WriteStaged();
        Span<byte> digest = stackalloc byte[Digest256.Size];
        _sha.GetHashAndReset(digest);
        var storedDigest = new Digest256(digest);
        if (!Header.IsCompressed) entry = entry with { BodyDigest = storedDigest };
        Header = Header with { Entry = entry, StoredBytes = WrittenBytes, StoredDigest = storedDigest };
        if (Header.Size != _headerSize) throw new InvalidOperationException("The header of a value changed its size while the value was written.");
        var header = ArrayPool<byte>.Shared.Rent(_headerSize);
        Header.Write(header);
        RandomAccess.Write(_stream.SafeFileHandle, header.AsSpan(0, _headerSize), 0);
        ArrayPool<byte>.Shared.Return(header);
        File.StoredBytes = WrittenBytes;
        _isFinished = true;
    }

    /// <summary>Gives the file its name, and says in its times when it was used and when it expires.</summary>
    public void Commit(string path, DateTimeOffset usedAt, DateTimeOffset expiresAt)
    {
        if (!_isFinished) throw new InvalidOperationException("A value file is named when it is finished.");
        System.IO.File.SetLastAccessTimeUtc(_stream.SafeFileHandle, usedAt.UtcDateTime);
        System.IO.File.SetLastWriteTimeUtc(_stream.SafeFileHandle, expiresAt.UtcDateTime);
        DiskFolder.Rename(TemporaryPath, path);
        File.Path = path;
        _isCommitted = true;
    }

    /// <summary>Gives the buffers back, and the temporary name where the file has no other. The file stays open for its readers.</summary>
    public void Dispose()
    {
        if (_stage is null) return;
        ArrayPool<byte>.Shared.Return(_stage);
        _stage = null;
        if (_scratch is not null) ArrayPool<byte>.Shared.Return(_scratch);
        _scratch = null;
        _sha.Dispose();
        if (!_isCommitted) DiskFolder.TryDelete(TemporaryPath);
    }

    private void EndChunk()
    {
        var data = _stage.AsSpan(_staged - _inChunk, _inChunk);
        _sha.AppendData(data);
        var trailer = _stage.AsSpan(_staged, ValueFile.TrailerBytes);
        trailer.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(trailer, ChunkChecksum.Compute(data, ValueFile.SeedOf(Header.Nonce, _chunk)));
        _staged += ValueFile.TrailerBytes;
        _chunk++;
        _inChunk = 0;
    }
}
