using System.Buffers;
using System.Collections.Concurrent;

namespace Platform.TieredCache;

/// <summary>
/// Values in a folder of this machine. Never in the way: what fails is counted, left alone for a while, and the request goes on without the tier.
/// This part reads and forgets; <c>DiskTier.Writing.cs</c> writes, <c>DiskTier.Maintenance.cs</c> keeps the bounds.
/// </summary>
internal sealed partial class DiskTier : IOuterTier
{
    /// <summary>How far the clock may have been ahead when a value was made; one further in the future is not believed.</summary>
    private static readonly TimeSpan MaxClockError = TimeSpan.FromMinutes(5);

    private const int MaxOwedRemovals = 1024;

    private readonly DiskTierOptions _options;
    private readonly CacheCounters _counters;
    private readonly TimeProvider _time;
    private readonly DiskFolder _folder;
    private readonly DiskEpochs _epochs;
    private readonly DiskIndex _index;
    private readonly CircuitBreaker _reading, _writing;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<CacheKey, bool> _owedRemovals = new();      // files that could not be deleted
    private readonly Lock _openLock = new();
    private Task<bool>? _open;
    private long _openFailedAt;
    private volatile CacheBounds _bounds;

    /// <param name="options">The folder and its bounds; bounds can be changed later.</param>
    /// <param name="bounds">The bounds to begin with.</param>
    /// <param name="counters">Where everything is counted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onInvalidatedElsewhere">Told what another process of the folder invalidated.</param>
    public DiskTier(DiskTierOptions options, CacheBounds bounds, CacheCounters counters, TimeProvider time, Action<Invalidation> onInvalidatedElsewhere)
    {
        _options = options;
        _bounds = bounds;
        _counters = counters;
        _time = time;
        _onInvalidatedElsewhere = onInvalidatedElsewhere;
        _folder = new DiskFolder(options.Path!, time);
        _epochs = new DiskEpochs(_folder.Epochs, time);
        _index = new DiskIndex(counters);
        _reading = new CircuitBreaker(options.FailuresBeforeBreak, options.BreakDuration, time);
        _writing = new CircuitBreaker(options.FailuresBeforeBreak, options.BreakDuration, time);
        _writes = System.Threading.Channels.Channel.CreateBounded<PendingWrite>(options.MaxPendingWrites);
        _writer = WriteAllAsync();
        _maintenance = MaintainAlwaysAsync();
    }

    public CacheTier Tier => CacheTier.Disk;

    public DiskFolder Folder => _folder;

    public DiskEpochs Epochs => _epochs;

    public DiskIndex Index => _index;

    public bool Holds(EntryPolicy policy) => policy.Disk;

    /// <summary>The epoch that a making which begins now carries; 0, which is older than everything, where it cannot be known.</summary>
    public async ValueTask<long> ReadEpochAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await IsOpenAsync(cancellationToken).ConfigureAwait(false) ? _epochs.Read() : 0;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return 0;
        }
    }

    /// <summary>Whether the folder is open and owes no invalidation.</summary>
    public async ValueTask<bool> IsUsableAsync(CancellationToken cancellationToken)
        => await IsOpenAsync(cancellationToken).ConfigureAwait(false) && (!_epochs.IsOwing || await _epochs.TryPayAsync(cancellationToken).ConfigureAwait(false));

    public async ValueTask<bool> TryReadAsync(CacheKey key, BodyWriter to, CancellationToken cancellationToken)
    {
        if (!await IsUsableAsync(cancellationToken).ConfigureAwait(false) || !_reading.TryEnter())
        {
            _counters.Add(CacheTier.Disk, key.Kind, CacheResult.Bypass);
            return false;
        }

        try
        {
            var hit = TryRead(key, to);
            if (!hit) _counters.Add(CacheTier.Disk, key.Kind, CacheResult.Miss);
            _reading.Succeeded();
            return hit;
        }
        catch (DamagedValueException)
        {
            // Counted and put aside by the file. Nobody has seen the bytes that were read before it showed.
            to.Rewind();
            _counters.Add(CacheTier.Disk, key.Kind, CacheResult.Miss);
            _reading.Succeeded();
            return false;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            to.Rewind();
            _counters.Add(CacheTier.Disk, key.Kind, CacheResult.Error);
            _reading.Failed();
            return false;
        }
        catch
        {
            _reading.Abandoned();
            throw;
        }
    }

    public async ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken)
    {
        if (what.Scope == InvalidationScope.Key)
        {
            Remove(what.Key);
            return;
        }

        _epochs.Owe(what);           // before the first wait: also where the folder cannot be opened or the caller leaves
        if (!await IsOpenAsync(cancellationToken).ConfigureAwait(false)) return;
        await _epochs.TryPayAsync(cancellationToken).ConfigureAwait(false);
        if (what.Scope != InvalidationScope.Tag) DeleteWhere(entry => what.Scope == InvalidationScope.All || entry.Kind == what.Kind);
    }

    /// <summary>Waits until what was offered so far is written or given up.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _pendingCount) > 0) await Task.Delay(5, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what was offered, for some seconds at most, notes the order of use, and lets another process hold the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        await Task.WhenAny(_writer, Task.Delay(TimeSpan.FromSeconds(5))).ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_writer, _maintenance).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_open is { IsCompletedSuccessfully: true })
        {
            NoteUses();
            TryFlushEpochs();
        }

        _epochs.Dispose();
        _folder.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Failures of the device or the folder, as opposed to mistakes of ours.</summary>
    private static bool IsFailure(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Opens the folder the first time, in the background of nobody: it takes milliseconds. After a failure it is tried again once in a while.</summary>
    private ValueTask<bool> IsOpenAsync(CancellationToken cancellationToken)
    {
        var open = _open;
        if (open is { IsCompletedSuccessfully: true } && open.GetAwaiter().GetResult()) return new ValueTask<bool>(true);
        lock (_openLock)
        {
            if (_open is null || (_open.IsCompleted && !_open.GetAwaiter().GetResult() && _time.GetElapsedTime(_openFailedAt) > _options.BreakDuration))
                _open = OpenAsync();
            open = _open;
        }

        return new ValueTask<bool>(open.WaitAsync(cancellationToken));
    }

    private async Task<bool> OpenAsync()
    {
        await Task.Yield();
        try
        {
            _folder.Create();
            await _epochs.OpenAsync(_stopping.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (IsFailure(exception) || exception is OperationCanceledException)
        {
            _openFailedAt = _time.GetTimestamp();
            return false;
        }
    }

    private bool TryRead(CacheKey key, BodyWriter to)
    {
        var id = key.ToId();
        var path = _folder.PathOf(id, key.Kind);
        if (!File.Exists(path)) return false;
        if (_owedRemovals.ContainsKey(key))
        {
            Remove(key);
            return false;
        }

        if (TryOpen(path, key.Kind, out var file) is not { } header)
        {
            _index.Remove(id);
            return false;
        }

        var keepsOpen = false;
        try
        {
            if (header.Key != key)
            {
                PutAside(file!, key.Kind);
                throw new DamagedValueException("A value file lies under the name of another key.");
            }

            if (!IsCurrent(header, out var isExpired))
            {
                if (DiskFolder.TryDelete(path)) _index.Remove(id);
                if (isExpired) _counters.AddExpiration(CacheTier.Disk, key.Kind);
                return false;
            }

            if (header.IsCompressed || to.ReadsIntoMemory(header.StoredBytes))
            {
                try
                {
                    if (header.IsCompressed) Inflate(file!, header, to);
                    else ReadAll(file!, header, to);
                }
                catch (CacheFullException) when (!header.IsCompressed && to.IsRelayed)
                {
                    to.Rewind();
                    keepsOpen = true;
                    to.UseFile(header.Entry, file!);
                }
            }
            else
            {
                keepsOpen = true;
                to.UseFile(header.Entry, file!);
            }

            var now = _time.GetUtcNow();
            _index.Touch(id, () => Describe(id, header, now), now);
            _counters.AddHit(CacheTier.Disk, key.Kind, header.Entry.Length!.Value);
            return true;
        }
        finally
        {
            if (!keepsOpen) file!.Dispose();
        }
    }

    /// <summary>Opens a value file and reads its header. Null: there is none.</summary>
    /// <exception cref="DamagedValueException">The header is damaged or the file has another size than it says; it was put aside.</exception>
    private ValueFileHeader? TryOpen(string path, EntryKind kind, out ValueFile? file)
    {
        file = null;
        Microsoft.Win32.SafeHandles.SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(ValueFileHeader.MaxSize);
        try
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(0, ValueFileHeader.MaxSize), 0);
            if (ValueFileHeader.TryRead(bytes.AsSpan(0, read), out var header) && RandomAccess.GetLength(handle) == header.FileBytes)
            {
                file = new ValueFile(path, handle, header.Size, header.Nonce) { StoredBytes = header.StoredBytes, OnDamaged = damaged => PutAside(damaged, kind) };
                return header;
            }

            PutAside(new ValueFile(path, handle, 0, 0), kind);
            throw new DamagedValueException("The header of a value file is damaged, or its size.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private bool IsCurrent(ValueFileHeader header, out bool isExpired)
    {
        var now = _time.GetUtcNow();
        isExpired = header.Entry.MadeAt + TtlOf(header) <= now;
        return !isExpired && header.Entry.MadeAt <= now + MaxClockError && !_epochs.IsStale(header.Epoch, header.Key.Kind, header.Entry.Tags.AsSpan());
    }

    private TimeSpan TtlOf(ValueFileHeader header) => header.Ttl ?? DefaultTtl(header.Key.Kind);

    private TimeSpan DefaultTtl(EntryKind kind) => _bounds.Kinds[kind].Ttl ?? _bounds.DiskTtl;

    private DiskEntry Describe(Digest256 id, ValueFileHeader header, DateTimeOffset usedAt)
        => new(id, header.Key.Kind, header.FileBytes, header.Entry.MadeAt, header.Entry.MadeAt + TtlOf(header), usedAt);

    /// <summary>Straight into the blocks of memory where they hold whole chunks.</summary>
    private static void ReadAll(ValueFile file, ValueFileHeader header, BodyWriter to)
    {
        to.Start(header.Entry);
        byte[]? chunk = null;
        for (long position = 0; position < header.StoredBytes;)
        {
            var size = (int)Math.Min(ValueFile.ChunkBytes, header.StoredBytes - position);
            var memory = to.GetMemory();
            if (memory.Length >= size)
            {
                // As many whole chunks as the block and one read hold.
                var more = (int)Math.Min(Math.Min(memory.Length, header.StoredBytes - position), ValueFile.MaxBatch * ValueFile.ChunkBytes);
                size = position + more == header.StoredBytes ? more : Math.Max(size, more / ValueFile.ChunkBytes * ValueFile.ChunkBytes);
                file.Read(position, memory[..size]);
                to.Advance(size);
            }
            else
            {
                chunk ??= ArrayPool<byte>.Shared.Rent(ValueFile.ChunkBytes);
                file.Read(position, chunk.AsMemory(0, size));
                to.Write(chunk.AsSpan(0, size));
            }

            position += size;
        }

        if (chunk is not null) ArrayPool<byte>.Shared.Return(chunk);
    }

    private static void Inflate(ValueFile file, ValueFileHeader header, BodyWriter to)
    {
        to.Start(header.Entry);
        try
        {
            using var inflate = new System.IO.Compression.GZipStream(new ValueFileStream(file), System.IO.Compression.CompressionMode.Decompress);
            for (var left = header.Entry.Length!.Value; left > 0;)
            {
                var memory = to.GetMemory();
                var read = inflate.Read(memory.Span[..(int)Math.Min(memory.Length, left)]);
                if (read == 0) break;
                to.Advance(read);
                left -= read;
            }
        }
        catch (InvalidDataException)
        {
            // Every chunk matched: then this is a mistake of ours, and the value is not served all the same.
            file.OnDamaged?.Invoke(file);
            throw new DamagedValueException("A compressed value does not inflate.");
        }

        if (to.WrittenBytes == header.Entry.Length) return;
        file.OnDamaged?.Invoke(file);
        throw new DamagedValueException("A compressed value has another length than its header says.");
    }

    private void PutAside(ValueFile file, EntryKind kind)
    {
        _counters.AddCorruption(CacheTier.Disk, kind);
        var path = file.Path;
        if (DiskFolder.TryParsePath(path, out var id)) _index.Remove(id);
        _folder.Quarantine(path);
    }

    private void Remove(CacheKey key)
    {
        var id = key.ToId();
        lock (_commitLock)
        {
            foreach (var pending in _pending)
                if (pending.Flight.Key == key) pending.IsCancelled = true;
            _index.Remove(id);
            if (DiskFolder.TryDelete(_folder.PathOf(id, key.Kind))) _owedRemovals.TryRemove(key, out _);
            else if (_owedRemovals.Count < MaxOwedRemovals) _owedRemovals[key] = true;
            else _epochs.Owe(Invalidation.All);
        }
    }

    private void DeleteWhere(Func<DiskEntry, bool> predicate)
    {
        foreach (var entry in _index.Snapshot())
            if (predicate(entry)) Delete(entry);
    }

    private void Delete(DiskEntry entry)
    {
        if (DiskFolder.TryDelete(_folder.PathOf(entry.Id, entry.Kind))) _index.Remove(entry.Id);
    }
}
