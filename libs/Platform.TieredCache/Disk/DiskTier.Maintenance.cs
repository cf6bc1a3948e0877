using System.Buffers;
using System.IO.Enumeration;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// What keeps the folder within its bounds: finding what is there, letting go of what has expired or was used longest ago, noting
/// the order of use in the files' access times, scrubbing. Values are served long before the first look through the folder is done.
/// </summary>
internal sealed partial class DiskTier
{
    private const int MarkSize = 32;
    private const ulong MarkSeed = 0x4D41524B;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500), KeepInterval = TimeSpan.FromSeconds(10), LookInterval = TimeSpan.FromMinutes(1);

    private readonly Action<Invalidation> _onInvalidatedElsewhere;
    private readonly Task _maintenance;
    private readonly SemaphoreSlim _looking = new(1, 1);
    private readonly DateTime[] _shardTimes = new DateTime[256];
    private volatile bool _hasLooked;

    /// <summary>Whether the folder was looked through once; until then nothing is evicted.</summary>
    public bool HasLooked => _hasLooked;

    /// <summary>Bounds from now on.</summary>
    public void Apply(CacheBounds bounds)
    {
        var old = _bounds;
        _bounds = bounds;
        foreach (var entry in _index.Snapshot())
        {
            // Exact for what this process wrote or read; for what it only found, the time to live of its kind is assumed.
            var change = (bounds.Kinds[entry.Kind].Ttl ?? bounds.DiskTtl) - (old.Kinds[entry.Kind].Ttl ?? old.DiskTtl);
            entry.ExpiresAt += change;
        }

        DeleteExpired();
        KeepBounds();
    }

    /// <summary>One round of everything, for tests and for the loop.</summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        if (!await IsOpenAsync(cancellationToken).ConfigureAwait(false)) return;
        await _looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_folder.TryHold()) _folder.DeleteOrphans();
            LookThrough(cancellationToken);
            DeleteExpired();
            KeepBounds();
            NoteUses();
            if (_folder.IsHolder && KeepRecordBounds is { } keep) keep(cancellationToken);
        }
        finally
        {
            _looking.Release();
        }
    }

    /// <summary>Lets go of records beyond their bound; set by the records' side before the first use.</summary>
    public Action<CancellationToken>? KeepRecordBounds { get; set; }

    /// <summary>Hears of invalidations by other processes, and brings ours to the device.</summary>
    public void Poll()
    {
        foreach (var what in _epochs.Poll()) _onInvalidatedElsewhere(what);
        TryFlushEpochs();
    }

    /// <summary>Compares every value with its checksums and its SHA-256.</summary>
    public async Task<CacheScrubReport> ScrubAsync(IProgress<CacheScrubProgress>? progress, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        if (!await IsOpenAsync(cancellationToken).ConfigureAwait(false)) return new CacheScrubReport(0, 0, 0, TimeSpan.Zero);
        await _looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_hasLooked) LookThrough(cancellationToken);
        }
        finally
        {
            _looking.Release();
        }

        var entries = _index.Snapshot();
        var (total, done, bytes, damaged) = (entries.Sum(entry => entry.Bytes), 0L, 0L, 0L);
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (!IsSound(entry)) damaged++;
            }
            catch (DamagedValueException)
            {
                damaged++;
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                // The device, not the value: what cannot be read now is neither sound nor damaged.
                _counters.Add(CacheTier.Disk, entry.Kind, CacheResult.Error);
            }

            done++;
            bytes += entry.Bytes;
            progress?.Report(new CacheScrubProgress(done, entries.Count, bytes, total, damaged));
            await Task.Yield();
        }

        return new CacheScrubReport(done, bytes, damaged, _time.GetElapsedTime(started));
    }

    /// <summary>The value header of an entry, for listings; null when it is gone.</summary>
    public ValueFileHeader? TryReadHeader(DiskEntry entry)
    {
        try
        {
            var header = TryOpen(_folder.PathOf(entry.Id, entry.Kind), entry.Kind, out var file);
            file?.Dispose();
            return header;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return null;
        }
    }

    /// <summary>Whether the value of an entry carries the tag: its header is read.</summary>
    public bool HasTag(DiskEntry entry, CacheTag tag, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return TryReadHeader(entry)?.Entry.Tags.Contains(tag) == true;
    }

    /// <summary>Deletes the files of a tag that was invalidated: they are misses already.</summary>
    public void DeleteTagged(CacheTag tag, CancellationToken cancellationToken)
    {
        foreach (var entry in _index.Snapshot())
            if (TryReadHeader(entry) is { } header && header.Entry.Tags.Contains(tag) && IsStale(header)) Delete(entry);

        bool IsStale(ValueFileHeader header)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return _epochs.IsStale(header.Epoch, header.Key.Kind, header.Entry.Tags.AsSpan());
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                return false;
            }
        }
    }

    /// <summary>How far the nodes' log of invalidations was applied to this folder by whichever process; null where that is not known.</summary>
    public LogMark? TryReadMark()
    {
        try
        {
            if (!File.Exists(_folder.Mark)) return null;
            using var file = File.OpenHandle(_folder.Mark, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> bytes = stackalloc byte[MarkSize];
            if (RandomAccess.Read(file, bytes, 0) != MarkSize || BitConverter.ToUInt64(bytes[24..]) != ChunkChecksum.Compute(bytes[..24], MarkSeed)) return null;
            return new LogMark(BitConverter.ToUInt64(bytes), BitConverter.ToInt64(bytes[8..]), BitConverter.ToUInt64(bytes[16..]));
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return null;
        }
    }

    /// <summary>Notes that everything up to a mark was applied here. While an invalidation is owed the old mark stays: it is then read again.</summary>
    public void WriteMark(LogMark mark)
    {
        if (_open is not { IsCompletedSuccessfully: true } || _epochs.IsOwing) return;
        Span<byte> bytes = stackalloc byte[MarkSize];
        BitConverter.TryWriteBytes(bytes, mark.Log);
        BitConverter.TryWriteBytes(bytes[8..], mark.Entry);
        BitConverter.TryWriteBytes(bytes[16..], mark.Random);
        BitConverter.TryWriteBytes(bytes[24..], ChunkChecksum.Compute(bytes[..24], MarkSeed));
        try
        {
            using var file = File.OpenHandle(_folder.Mark, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.Write(file, bytes, 0);
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            // The old one, or none: more is read again than had to be.
        }
    }

    private async Task MaintainAlwaysAsync()
    {
        await Task.Yield();
        try
        {
            using var timer = new PeriodicTimer(PollInterval, _time);
            var (kept, looked) = (_time.GetTimestamp(), _time.GetTimestamp());
            await TryAsync(MaintainAsync).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                if (_open is not { IsCompletedSuccessfully: true } || !await _open.ConfigureAwait(false)) continue;
                await TryAsync(_ =>
                {
                    Poll();
                    return Task.CompletedTask;
                }).ConfigureAwait(false);
                if (_time.GetElapsedTime(looked) > LookInterval)
                {
                    looked = kept = _time.GetTimestamp();
                    await TryAsync(MaintainAsync).ConfigureAwait(false);
                }
                else if (_time.GetElapsedTime(kept) > KeepInterval)
                {
                    kept = _time.GetTimestamp();
                    await TryAsync(_ =>
                    {
                        _folder.TryHold();
                        DeleteExpired();
                        KeepBounds();
                        NoteUses();
                        return Task.CompletedTask;
                    }).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }

        async Task TryAsync(Func<CancellationToken, Task> act)
        {
            try
            {
                await act(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                _folder.ForgetFreeBytes();         // tried again at the next turn; requests count their own failures
            }
        }
    }

    private void TryFlushEpochs()
    {
        try
        {
            _epochs.FlushToDisk();
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            // It holds for the processes that live, and is lost with the power only.
        }
    }

    /// <summary>Finds the files of the shards that changed since the last look: names, sizes and times, no contents.</summary>
    private void LookThrough(CancellationToken cancellationToken)
    {
        var found = new List<DiskEntry>();
        var present = new HashSet<Digest256>();
        var known = _hasLooked ? _index.Snapshot().ToLookup(entry => ShardOf(entry.Id)) : null;
        for (var shard = 0; shard < _shardTimes.Length; shard++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = _folder.ShardPath(shard);
            if (!Directory.Exists(path)) continue;
            var changed = Directory.GetLastWriteTimeUtc(path);
            if (known is not null && changed == _shardTimes[shard]) continue;
            var before = _time.GetUtcNow();
            present.Clear();
            foreach (var (id, kind, bytes, expiresAt, usedAt) in Enumerate(path, shard))
            {
                present.Add(id);
                found.Add(new DiskEntry(id, kind, bytes, expiresAt - DefaultTtl(kind), expiresAt, usedAt));
            }

            // What another process evicted. What came while we looked is younger than the look.
            foreach (var entry in known?[shard] ?? [])
                if (!present.Contains(entry.Id) && entry.UsedAt < before) _index.Remove(entry.Id);
            _shardTimes[shard] = changed;
        }

        _index.AddFound(found);
        _hasLooked = true;
    }

    private static int ShardOf(Digest256 id) => (int)(id.First64 >> 56);

    private static FileSystemEnumerable<(Digest256 Id, EntryKind Kind, long Bytes, DateTimeOffset ExpiresAt, DateTimeOffset UsedAt)> Enumerate(string path, int shard)
        => new(path, (ref FileSystemEntry entry) =>
        {
            DiskFolder.TryParseName(shard, entry.FileName, out var id, out var kind);
            return (id, kind, entry.Length, entry.LastWriteTimeUtc, entry.LastAccessTimeUtc);
        })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && DiskFolder.TryParseName(shard, entry.FileName, out _, out _),
        };

    private void DeleteExpired()
    {
        if (!_folder.IsHolder) return;
        var now = _time.GetUtcNow();
        foreach (var entry in _index.Snapshot())
        {
            if (entry.ExpiresAt > now) continue;
            Delete(entry);
            _counters.AddExpiration(CacheTier.Disk, entry.Kind);
        }
    }

    /// <summary>Lets go of what was used longest ago until bytes and files are within bounds. Who does not hold the folder leaves that to the holder.</summary>
    private void KeepBounds()
    {
        if (!_hasLooked || !_folder.IsHolder) return;
        var bounds = _bounds;
        while ((_index.Bytes > bounds.DiskBytes || _index.Count > bounds.DiskItems) && EvictOldest() > 0)
        {
        }

        if (_folder.GetFreeBytes() < bounds.DiskMinFreeBytes) MakeFree(0);
    }

    /// <summary>Lets go of values until the file system has room for so many bytes above its floor, or nothing is left.</summary>
    private void MakeFree(long bytes)
    {
        if (!_hasLooked || !_folder.IsHolder) return;
        while (true)
        {
            _folder.ForgetFreeBytes();
            var missing = _bounds.DiskMinFreeBytes + bytes - _folder.GetFreeBytes();
            if (missing <= 0) return;
            for (long freed = 0; freed < missing;)
            {
                if (EvictOldest() is var evicted && evicted == 0) return;
                freed += evicted;
            }
        }
    }

    private long EvictOldest()
    {
        if (_index.TakeOldest() is not { } entry) return 0;
        if (DiskFolder.TryDelete(_folder.PathOf(entry.Id, entry.Kind))) _counters.AddEviction(CacheTier.Disk, entry.Kind);
        return entry.Bytes;
    }

    /// <summary>Writes the times of use since the last call into the files' access times, so that their order outlives the process.</summary>
    private void NoteUses()
    {
        foreach (var entry in _index.TakeTouched())
        {
            try
            {
                File.SetLastAccessTimeUtc(_folder.PathOf(entry.Id, entry.Kind), entry.UsedAt.UtcDateTime);
            }
            catch (Exception exception) when (IsFailure(exception))
            {
                // Gone, or not ours to write: then it is a little older than it should be.
            }
        }
    }

    private bool IsSound(DiskEntry entry)
    {
        if (TryOpen(_folder.PathOf(entry.Id, entry.Kind), entry.Kind, out var file) is not { } header) return true;       // gone meanwhile
        using (file)
        using (var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            var chunk = ArrayPool<byte>.Shared.Rent(ValueFile.ChunkBytes);
            try
            {
                for (long position = 0; position < header.StoredBytes; position += ValueFile.ChunkBytes)
                {
                    var size = (int)Math.Min(ValueFile.ChunkBytes, header.StoredBytes - position);
                    file!.Read(position, chunk.AsMemory(0, size));
                    sha.AppendData(chunk.AsSpan(0, size));
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(chunk);
            }

            Span<byte> digest = stackalloc byte[Digest256.Size];
            sha.GetHashAndReset(digest);
            if (new Digest256(digest) == header.StoredDigest && (header.Key.ToId(), header.Key.Kind) == (entry.Id, entry.Kind)) return true;
            PutAside(file!, entry.Kind);
            return false;
        }
    }
}
