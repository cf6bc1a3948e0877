using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace Platform.TieredCache;

/// <summary>Writing: small values behind the answer, one after the other; large ones while they arrive, by whoever makes them.</summary>
internal sealed partial class DiskTier
{
    private const int LeastCompressedBytes = 512;

    private readonly Channel<PendingWrite> _writes;
    private readonly Task _writer;
    private readonly Lock _commitLock = new();           // between a file's getting its name and the removal of its key
    private readonly HashSet<PendingWrite> _pending = [];
    private int _pendingCount;

    /// <summary>A value that waits to be written. Holds a reference to its body.</summary>
    private sealed class PendingWrite(Flight flight)
    {
        public Flight Flight { get; } = flight;

        public bool IsCancelled;      // commit lock: its key was removed
    }

    /// <summary>
    /// Begins to write a relayed value that is too large for memory, while it arrives; null where the tier cannot take it.
    /// </summary>
    public ValueFileWriter? TryBeginSpill(Flight flight, EntryHeader header)
    {
        if (flight.DiskEpoch == 0 || !MayWrite(flight.Key.Kind, header.Length ?? 0) || !_writing.TryEnter()) return null;
        try
        {
            var writer = Begin(flight, header, isCompressed: false);
            _writing.Succeeded();
            return writer;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            WriteFailed(flight.Key.Kind);
            return null;
        }
    }

    /// <summary>Whether a value that is being written may go on to so many bytes.</summary>
    public bool MayGrow(EntryKind kind, long bytes) => MayWrite(kind, bytes);

    /// <summary>A write of a value that was arriving has failed; the caller goes on without the file.</summary>
    public void WriteFailed(EntryKind kind)
    {
        _counters.Add(CacheTier.Disk, kind, CacheResult.Error);
        _writing.Failed();
        _folder.ForgetFreeBytes();
    }

    public void Offer(Flight flight, TimeSpan madeIn)
    {
        if (flight.Writer.Spill is { } spill)
        {
            try
            {
                Commit(spill, () => flight.IsForgotten);
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                WriteFailed(flight.Key.Kind);
            }

            return;
        }

        var body = flight.Body;
        if (flight.DiskEpoch == 0 || body.File is not null || !MayWrite(flight.Key.Kind, body.Header.Length!.Value) || !body.TryAddReference()) return;
        var pending = new PendingWrite(flight);
        lock (_commitLock) _pending.Add(pending);
        Interlocked.Increment(ref _pendingCount);
        if (!_writes.Writer.TryWrite(pending)) End(pending);
    }

    private async Task WriteAllAsync()
    {
        await Task.Yield();
        await foreach (var pending in _writes.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                if (_writing.TryEnter()) WriteOne(pending);
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                WriteFailed(pending.Flight.Key.Kind);
            }
            finally
            {
                End(pending);
            }
        }
    }

    private void End(PendingWrite pending)
    {
        lock (_commitLock) _pending.Remove(pending);
        pending.Flight.Body.Release();
        Interlocked.Decrement(ref _pendingCount);
    }

    private void WriteOne(PendingWrite pending)
    {
        var flight = pending.Flight;
        if (!flight.Body.TryGetBytes(out var bytes))
        {
            _writing.Abandoned();
            return;
        }

        var header = flight.Body.Header;
        using var compressed = flight.Policy.CompressAtRest && header.ContentCoding is null ? TryCompress(bytes) : null;
        using var writer = Begin(flight, header, compressed is not null);
        using var file = writer.File;
        if (compressed is not null) writer.Write(compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        else foreach (var piece in bytes) writer.Write(piece.Span);
        writer.Finish(header);
        Commit(writer, () => pending.IsCancelled);
        _writing.Succeeded();
    }

    private ValueFileWriter Begin(Flight flight, EntryHeader header, bool isCompressed)
    {
        Span<byte> nonce = stackalloc byte[8];
        RandomNumberGenerator.Fill(nonce);
        var fileHeader = new ValueFileHeader
        {
            Key = flight.Key,
            Entry = header,
            Nonce = BitConverter.ToUInt64(nonce),
            Epoch = flight.DiskEpoch,
            Ttl = flight.Policy.Ttl,
            IsCompressed = isCompressed,
        };
        var kind = flight.Key.Kind;
        return new ValueFileWriter(_folder.NewTemporaryPath(), fileHeader, damaged => PutAside(damaged, kind));
    }

    private void Commit(ValueFileWriter writer, Func<bool> isCancelled)
    {
        var header = writer.Header;
        var id = header.Key.ToId();
        var now = _time.GetUtcNow();
        var entry = Describe(id, header, now);
        lock (_commitLock)
        {
            if (isCancelled()) return;
            writer.Commit(_folder.PathOf(id, header.Key.Kind), now, entry.ExpiresAt);
            _owedRemovals.TryRemove(header.Key, out _);
            _index.Add(entry);
        }

        KeepBounds();
    }

    /// <summary>Null when that saves less than a tenth.</summary>
    private static MemoryStream? TryCompress(ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length < LeastCompressedBytes) return null;
        var compressed = new MemoryStream((int)Math.Min(bytes.Length, 1 << 20));
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            foreach (var piece in bytes) gzip.Write(piece.Span);
        if (compressed.Length <= bytes.Length * 9 / 10) return compressed;
        compressed.Dispose();
        return null;
    }

    /// <summary>Whether a value of so many bytes may be written at all: within its kind's bound, the tier's, and what the file system has free.</summary>
    private bool MayWrite(EntryKind kind, long bytes)
    {
        var bounds = _bounds;
        var size = ValueFileHeader.MaxSize + ValueFile.StoredSize(bytes);
        if (bytes > bounds.Kinds[kind].MaxDiskBytes || size > bounds.DiskBytes) return false;
        try
        {
            if (_folder.GetFreeBytes() - size >= bounds.DiskMinFreeBytes) return true;
            MakeFree(size);
            return _folder.GetFreeBytes() - size >= bounds.DiskMinFreeBytes;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return false;
        }
    }
}
