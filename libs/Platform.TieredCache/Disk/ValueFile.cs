using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;

namespace Platform.TieredCache;

/// <summary>What a value file holds did not match its checksums, or the file is shorter than it should be.</summary>
internal sealed class DamagedValueException(string what) : IOException(what);

/// <summary>
/// An open value file, complete or still growing. Every chunk is verified each time it is read, before any of its
/// bytes goes out. Reading is synchronous: the file system's cache answers or the disk is waited for, and asynchronous reads of
/// files wait on a thread of the pool just the same. Held by a <see cref="Body"/>, which closes it with its last reference.
/// </summary>
internal sealed class ValueFile(string path, SafeFileHandle handle, int dataAt, ulong nonce) : IDisposable
{
    public const int ChunkBytes = 64 << 10;

    /// <summary>Behind each chunk: its checksum, and room for the tag of AES-GCM (16 bytes, zero for now).</summary>
    public const int TrailerBytes = ChunkChecksum.Size + 16;

    /// <summary>Chunks read at once when a file is streamed.</summary>
    public const int MaxBatch = 4;

    [ThreadStatic] private static Memory<byte>[]?[]? t_vectors;
    [ThreadStatic] private static byte[]? t_trailers;

    private long _storedBytes;

    /// <summary>Where it lies; what was quarantined or evicted meanwhile is elsewhere or nowhere, and stays readable.</summary>
    public string Path { get; set; } = path;

    public SafeFileHandle Handle { get; } = handle;

    /// <summary>Bytes that can be read. Whole chunks until the file is complete.</summary>
    public long StoredBytes
    {
        get => Volatile.Read(ref _storedBytes);
        set => Volatile.Write(ref _storedBytes, value);
    }

    /// <summary>Told when a chunk does not match: quarantines the file.</summary>
    public Action<ValueFile>? OnDamaged { get; init; }

    /// <summary>The space that so many bytes take with their trailers.</summary>
    public static long StoredSize(long bytes) => bytes + (bytes + ChunkBytes - 1) / ChunkBytes * TrailerBytes;

    public static ulong SeedOf(ulong nonce, long chunk) => nonce + (ulong)chunk * 0x9E3779B97F4A7C15;

    /// <summary>
    /// Reads whole chunks from <paramref name="position"/>, a multiple of <see cref="ChunkBytes"/>, into <paramref name="into"/>, which holds whole
    /// chunks or ends with the file, and verifies them.
    /// </summary>
    /// <exception cref="DamagedValueException">They do not match; what is in <paramref name="into"/> must not be used.</exception>
    public void Read(long position, Memory<byte> into)
    {
        var first = position / ChunkBytes;
        var chunks = (into.Length + ChunkBytes - 1) / ChunkBytes;
        var trailers = t_trailers ??= new byte[MaxBatch * TrailerBytes];
        var vectors = (t_vectors ??= new Memory<byte>[MaxBatch + 1][])[chunks] ??= new Memory<byte>[2 * chunks];
        for (var i = 0; i < chunks; i++)
        {
            vectors[2 * i] = into.Slice(i * ChunkBytes, Math.Min(ChunkBytes, into.Length - i * ChunkBytes));
            vectors[2 * i + 1] = trailers.AsMemory(i * TrailerBytes, TrailerBytes);
        }

        var expected = into.Length + chunks * TrailerBytes;
        var read = RandomAccess.Read(Handle, vectors, dataAt + first * (ChunkBytes + TrailerBytes));
        Array.Clear(vectors);
        if (read != expected) Fail("A value file is shorter than its header says.");
        for (var i = 0; i < chunks; i++)
        {
            var data = into.Span.Slice(i * ChunkBytes, Math.Min(ChunkBytes, into.Length - i * ChunkBytes));
            var checksum = BinaryPrimitives.ReadUInt64LittleEndian(trailers.AsSpan(i * TrailerBytes));
            if (ChunkChecksum.Compute(data, SeedOf(nonce, first + i)) != checksum) Fail("A chunk of a value file does not match its checksum.");
        }
    }

    /// <summary>
    /// Copies up to <paramref name="count"/> bytes from <paramref name="position"/> into the pipe's memory, not more than <see cref="MaxBatch"/>
    /// chunks, without flushing; returns how many.
    /// </summary>
    public int CopySome(PipeWriter to, long position, long count)
    {
        var stored = StoredBytes;
        var within = (int)(position % ChunkBytes);
        if (within == 0 && (count >= ChunkBytes || position + count == stored))
        {
            // Straight into the pipe's memory: bytes that do not match are never told to it.
            var size = (int)Math.Min(count, MaxBatch * ChunkBytes);
            if (position + size != stored) size -= size % ChunkBytes;
            Read(position, to.GetMemory(size)[..size]);
            to.Advance(size);
            return size;
        }

        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            var start = position - within;
            var length = (int)Math.Min(ChunkBytes, stored - start);
            Read(start, chunk.AsMemory(0, length));
            var size = (int)Math.Min(count, length - within);
            chunk.AsSpan(within, size).CopyTo(to.GetSpan(size));
            to.Advance(size);
            return size;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    public void Dispose() => Handle.Dispose();

    private void Fail(string what)
    {
        OnDamaged?.Invoke(this);
        throw new DamagedValueException(what);
    }
}
