namespace Platform.TieredCache;

/// <summary>Records in memory, least recently used out first.</summary>
internal sealed class RecordStore(RecordOptions options, TimeProvider time) : IRecordStore
{
    private const int OverheadBytes = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<Digest256, LinkedListNode<Held>> _byKey = [];
    private readonly LinkedList<Held> _order = new();       // most recently used first
    private readonly Dictionary<CacheTag, HashSet<Digest256>> _byTag = [];
    private long _bytes;
    private long _lastVersion;

    private sealed record Held(Digest256 Key, CacheRecord Record)
    {
        public long Bytes => Record.Value.Length + OverheadBytes;
    }

    public int Count
    {
        get { lock (_lock) return _byKey.Count; }
    }

    /// <inheritdoc/>
    public ValueTask<CacheRecord?> ReadAsync(Digest256 key, CancellationToken cancellationToken)
    {
        lock (_lock) return new ValueTask<CacheRecord?>(Find(key));
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReplaceAsync(Digest256 key, long expectedVersion, CacheRecord record, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Value.Length, CacheRecord.MaxValueBytes, nameof(record));
        if (record.Tags.IsDefault || record.Tags.Length > EntryHeader.MaxTags) throw new ArgumentException("A record has at most 16 tags.", nameof(record));
        lock (_lock)
        {
            if ((Find(key)?.Version ?? 0) != expectedVersion) return new ValueTask<bool>(false);
            Forget(key);
            _lastVersion = Math.Max(_lastVersion + 1, time.GetUtcNow().UtcTicks);
            var held = new Held(key, record with { Version = _lastVersion });
            _byKey[key] = _order.AddFirst(held);
            _bytes += held.Bytes;
            foreach (var tag in record.Tags)
            {
                if (!_byTag.TryGetValue(tag, out var keys)) _byTag[tag] = keys = [];
                keys.Add(key);
            }

            while (_bytes > options.MemoryBytes && _order.Last is { } last) Forget(last.Value.Key);
            return new ValueTask<bool>(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryRemoveAsync(Digest256 key, long expectedVersion, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (Find(key) is not { } record || record.Version != expectedVersion) return new ValueTask<bool>(false);
            Forget(key);
            return new ValueTask<bool>(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_byTag.TryGetValue(tag, out var keys))
                foreach (var key in keys.ToArray()) Forget(key);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Forgets the records of a tag, or all of them; other scopes name values.</summary>
    public ValueTask ForgetAsync(Invalidation what)
    {
        if (what.Scope == InvalidationScope.Tag) return InvalidateAsync(what.Tag, CancellationToken.None);
        if (what.Scope != InvalidationScope.All) return ValueTask.CompletedTask;
        lock (_lock)
        {
            foreach (var key in _byKey.Keys.ToArray()) Forget(key);
        }

        return ValueTask.CompletedTask;
    }

    private CacheRecord? Find(Digest256 key)
    {
        if (!_byKey.TryGetValue(key, out var node)) return null;
        if (node.Value.Record.ExpiresAt <= time.GetUtcNow())
        {
            Forget(key);
            return null;
        }

        _order.Remove(node);
        _order.AddFirst(node);
        return node.Value.Record;
    }

    private void Forget(Digest256 key)
    {
        if (!_byKey.Remove(key, out var node)) return;
        _order.Remove(node);
        _bytes -= node.Value.Bytes;
        foreach (var tag in node.Value.Record.Tags)
            if (_byTag.TryGetValue(tag, out var keys) && keys.Remove(key) && keys.Count == 0) _byTag.Remove(tag);
    }
}
