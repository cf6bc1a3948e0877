namespace Platform.TieredCache;

/// <summary>
/// Records: the hot ones in memory, least recently used out first; all of them on disk where there is a folder. What the folder has is the truth, because other processes
/// write there too; while it fails, this process goes on with what it knows, and remembers which files there are not to be believed any more.
/// </summary>
internal sealed class RecordStore(RecordOptions options, TimeProvider time) : IRecordStore
{
    private const int OverheadBytes = 256, MaxDisbelieved = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<Digest256, LinkedListNode<Held>> _byKey = [];
    private readonly LinkedList<Held> _order = new();       // most recently used first
    private readonly Dictionary<CacheTag, HashSet<Digest256>> _byTag = [];
    private readonly Dictionary<Digest256, long> _disbelieved = [];       // files of this version or older are not current
    private RecordFolder? _folder;
    private long _bytes;
    private long _lastVersion;

    // IsOnDisk: the folder had this version. Epoch: when it was written; CheckedAt: up to which epoch its tags are known not to be invalidated.
    private sealed record Held(Digest256 Key, CacheRecord Record, bool IsOnDisk, long Epoch)
    {
        public long Bytes => Record.Value.Length + OverheadBytes;

        public long CheckedAt { get; set; } = Epoch;
    }

    public int Count
    {
        get { lock (_lock) return _byKey.Count; }
    }

    /// <summary>From now on records are kept there too. Before the first use.</summary>
    public void UseFolder(RecordFolder folder) => _folder = folder;

    /// <inheritdoc/>
    public async ValueTask<CacheRecord?> ReadAsync(Digest256 key, CancellationToken cancellationToken)
        => _folder is { } folder && await folder.IsUsableAsync(cancellationToken).ConfigureAwait(false) ? ReadThrough(folder, key) : FindInMemory(key)?.Record;

    /// <inheritdoc/>
    public async ValueTask<bool> TryReplaceAsync(Digest256 key, long expectedVersion, CacheRecord record, CancellationToken cancellationToken)
    {
        if (record.Value.Length > CacheRecord.MaxValueBytes) throw new ArgumentException("A record has at most 64 KB.", nameof(record));
        if (record.Tags.IsDefault || record.Tags.Length > EntryHeader.MaxTags) throw new ArgumentException("A record has at most 16 tags.", nameof(record));
        using var only = await TryLockAsync(key, cancellationToken).ConfigureAwait(false);
        if (only is null)
        {
            lock (_lock)
            {
                if ((FindInMemory(key)?.Record.Version ?? 0) != expectedVersion) return false;
                var stored = record with { Version = NextVersion(expectedVersion) };
                Keep(new Held(key, stored, IsOnDisk: false, Epoch: 0));
                if (_folder is not null) Disbelieve(key, stored.Version - 1);
                return true;
            }
        }

        var folder = _folder!;
        if ((ReadThrough(folder, key)?.Version ?? 0) != expectedVersion) return false;
        var next = record with { Version = NextVersion(expectedVersion) };
        try
        {
            var epoch = folder.Epochs.Read();
            folder.Write(key, next, epoch);
            lock (_lock) Keep(new Held(key, next, IsOnDisk: true, epoch));
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            lock (_lock)
            {
                Keep(new Held(key, next, IsOnDisk: false, Epoch: 0));
                Disbelieve(key, next.Version - 1);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryRemoveAsync(Digest256 key, long expectedVersion, CancellationToken cancellationToken)
    {
        using var only = await TryLockAsync(key, cancellationToken).ConfigureAwait(false);
        var current = only is null ? FindInMemory(key)?.Record : ReadThrough(_folder!, key);
        if (current is null || current.Version != expectedVersion) return false;
        var isGone = false;
        try
        {
            if (only is not null)
            {
                _folder!.Delete(key);
                isGone = true;
            }
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            // Not believed any more instead.
        }

        lock (_lock)
        {
            Forget(key);
            if (_folder is not null && !isGone) Disbelieve(key, expectedVersion);
        }

        return true;
    }

    /// <inheritdoc/>
    public async ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken)
    {
        ForgetTagged(tag);
        if (_folder is null) return;
        _folder.Epochs.OweRecords(tag);
        await _folder.IsUsableAsync(cancellationToken).ConfigureAwait(false);        // pays
    }

    /// <summary>Forgets the records of a tag in memory, or all of them; those on disk the tier's epochs invalidate. Other scopes name values.</summary>
    public void Forget(Invalidation what)
    {
        if (what.Scope == InvalidationScope.Tag) ForgetTagged(what.Tag);
        if (what.Scope == InvalidationScope.All) ForgetAllInMemory();
    }

    /// <summary>Forgets every record, on disk too, and no value.</summary>
    public void ForgetAll()
    {
        ForgetAllInMemory();
        _folder?.Epochs.OweAllRecords();
    }

    private void ForgetAllInMemory()
    {
        lock (_lock)
        {
            foreach (var key in _byKey.Keys.ToArray()) Forget(key);
        }
    }

    private static bool IsFailure(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Null: the folder cannot be used now.</summary>
    private async ValueTask<IDisposable?> TryLockAsync(Digest256 key, CancellationToken cancellationToken)
    {
        try
        {
            return _folder is { } folder && await folder.IsUsableAsync(cancellationToken).ConfigureAwait(false) ? await folder.LockAsync(key, cancellationToken).ConfigureAwait(false) : null;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return null;
        }
    }

    private CacheRecord? ReadThrough(RecordFolder folder, Digest256 key)
    {
        try
        {
            var onDisk = folder.VersionOf(key);
            var epoch = folder.Epochs.Read();
            lock (_lock)
            {
                if (_disbelieved.TryGetValue(key, out var until) && onDisk <= until) onDisk = 0;
                if (FindInMemory(key) is { } held)
                {
                    var isCurrent = held.IsOnDisk ? held.Record.Version == onDisk : held.Record.Version >= onDisk;
                    if (isCurrent && (!held.IsOnDisk || held.CheckedAt == epoch)) return held.Record;
                    if (isCurrent && !folder.Epochs.IsStale(held.Epoch, kind: null, held.Record.Tags.AsSpan()))
                    {
                        held.CheckedAt = epoch;
                        return held.Record;
                    }

                    Forget(key);
                }
            }

            if (onDisk == 0) return null;
            if (folder.Read(key, out var writtenIn) is not { } record || record.ExpiresAt <= time.GetUtcNow() || folder.Epochs.IsStale(writtenIn, kind: null, record.Tags.AsSpan())) return null;
            lock (_lock)
            {
                if (_disbelieved.TryGetValue(key, out var until) && record.Version <= until) return null;
                Keep(new Held(key, record, IsOnDisk: true, writtenIn));
            }

            return record;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return FindInMemory(key)?.Record;
        }
    }

    private Held? FindInMemory(Digest256 key)
    {
        lock (_lock)
        {
            if (!_byKey.TryGetValue(key, out var node)) return null;
            if (node.Value.Record.ExpiresAt <= time.GetUtcNow())
            {
                Forget(key);
                return null;
            }

            _order.Remove(node);
            _order.AddFirst(node);
            return node.Value;
        }
    }

    /// <summary>Beyond every version that the key can have had: of the clock, and one more than the last of all keys.</summary>
    private long NextVersion(long expectedVersion)
    {
        lock (_lock) return _lastVersion = Math.Max(Math.Max(_lastVersion, expectedVersion) + 1, time.GetUtcNow().UtcTicks);
    }

    private void Keep(Held held)
    {
        Forget(held.Key);
        _byKey[held.Key] = _order.AddFirst(held);
        _bytes += held.Bytes;
        foreach (var tag in held.Record.Tags)
        {
            if (!_byTag.TryGetValue(tag, out var keys)) _byTag[tag] = keys = [];
            keys.Add(held.Key);
        }

        while (_bytes > options.MemoryBytes && _order.Last is { } last) Forget(last.Value.Key);
    }

    private void Forget(Digest256 key)
    {
        if (!_byKey.Remove(key, out var node)) return;
        _order.Remove(node);
        _bytes -= node.Value.Bytes;
        foreach (var tag in node.Value.Record.Tags)
            if (_byTag.TryGetValue(tag, out var keys) && keys.Remove(key) && keys.Count == 0) _byTag.Remove(tag);
    }

    private void ForgetTagged(CacheTag tag)
    {
        lock (_lock)
        {
            if (_byTag.TryGetValue(tag, out var keys))
                foreach (var key in keys.ToArray()) Forget(key);
        }
    }

    private void Disbelieve(Digest256 key, long version)
    {
        if (_disbelieved.Count >= MaxDisbelieved)
        {
            // Too many to remember one by one: nothing in the folder counts any more once it can be written.
            _disbelieved.Clear();
            _folder!.Epochs.Owe(Invalidation.All);
        }

        _disbelieved[key] = version;
    }
}
