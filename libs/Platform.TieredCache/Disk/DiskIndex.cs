namespace Platform.TieredCache;

/// <summary>What eviction needs to know of a value file.</summary>
internal sealed class DiskEntry(Digest256 id, EntryKind kind, long bytes, DateTimeOffset madeAt, DateTimeOffset expiresAt, DateTimeOffset usedAt)
{
    public Digest256 Id { get; } = id;

    public EntryKind Kind { get; } = kind;

    /// <summary>The file's size.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>When it was made; of files found at the start as far as their expiry and the times to live of today tell.</summary>
    public DateTimeOffset MadeAt { get; } = madeAt;

    public DateTimeOffset ExpiresAt { get; set; } = expiresAt;

    public DateTimeOffset UsedAt { get; set; } = usedAt;

    /// <summary>Reads by this process.</summary>
    public int Hits { get; set; }

    /// <summary>Whether <see cref="UsedAt"/> is younger than the file's access time.</summary>
    public bool IsTouched { get; set; }

    internal DiskEntry? Newer, Older;
}

/// <summary>
/// The value files that this process knows of, in the order of their use. The folder is the truth: reading never asks here, and a file that is not known is
/// found by its name. Thread-safe.
/// </summary>
internal sealed class DiskIndex(CacheCounters counters)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Digest256, DiskEntry> _byId = [];
    private DiskEntry? _newest, _oldest;
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    public int Count
    {
        get { lock (_lock) return _byId.Count; }
    }

    /// <summary>Puts a file in, as the one used last, in the place of an older one of that name.</summary>
    public void Add(DiskEntry entry)
    {
        lock (_lock)
        {
            if (_byId.TryGetValue(entry.Id, out var old)) Unlink(old);
            Link(entry, newer: null);
        }
    }

    /// <summary>Puts files in that were found; those known already stay as they are. The order of use is that of their times.</summary>
    public void AddFound(List<DiskEntry> found)
    {
        found.Sort(static (a, b) => b.UsedAt.CompareTo(a.UsedAt));       // last used first
        lock (_lock)
        {
            DiskEntry? newer = null;
            foreach (var entry in found)
            {
                if (_byId.ContainsKey(entry.Id)) continue;
                while ((newer is null ? _newest : newer.Older) is { } next && next.UsedAt > entry.UsedAt) newer = next;
                Link(entry, newer);
                newer = entry;
            }
        }
    }

    /// <summary>Notes a read of a file.</summary>
    public void Touch(Digest256 id, Func<DiskEntry> describe, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_byId.TryGetValue(id, out var entry))
            {
                var hits = entry.Hits;
                Unlink(entry);
                entry.Hits = hits;
            }
            else
            {
                entry = describe();
            }

            entry.Hits++;
            entry.UsedAt = now;
            entry.IsTouched = true;
            Link(entry, newer: null);
        }
    }

    public bool Remove(Digest256 id)
    {
        lock (_lock)
        {
            if (!_byId.TryGetValue(id, out var entry)) return false;
            Unlink(entry);
            return true;
        }
    }

    /// <summary>Takes out the file that was used longest ago; null when there is none.</summary>
    public DiskEntry? TakeOldest()
    {
        lock (_lock)
        {
            var entry = _oldest;
            if (entry is not null) Unlink(entry);
            return entry;
        }
    }

    /// <summary>All files at this moment, last used first.</summary>
    public List<DiskEntry> Snapshot()
    {
        lock (_lock)
        {
            var all = new List<DiskEntry>(_byId.Count);
            for (var entry = _newest; entry is not null; entry = entry.Older) all.Add(entry);
            return all;
        }
    }

    /// <summary>The files read since they were last asked for here.</summary>
    public List<DiskEntry> TakeTouched()
    {
        lock (_lock)
        {
            var touched = new List<DiskEntry>();
            foreach (var entry in _byId.Values)
            {
                if (!entry.IsTouched) continue;
                entry.IsTouched = false;
                touched.Add(entry);
            }

            return touched;
        }
    }

    // Puts it next to one that was used later; null: it is the one used last.
    private void Link(DiskEntry entry, DiskEntry? newer)
    {
        _byId[entry.Id] = entry;
        _bytes += entry.Bytes;
        counters.AddEntry(CacheTier.Disk, entry.Kind, entry.Bytes, 1, entry.MadeAt);
        entry.Newer = newer;
        entry.Older = newer is null ? _newest : newer.Older;
        if (newer is null) _newest = entry;
        else newer.Older = entry;
        if (entry.Older is null) _oldest = entry;
        else entry.Older.Newer = entry;
    }

    private void Unlink(DiskEntry entry)
    {
        _byId.Remove(entry.Id);
        if (entry.Newer is not null) entry.Newer.Older = entry.Older;
        else _newest = entry.Older;
        if (entry.Older is not null) entry.Older.Newer = entry.Newer;
        else _oldest = entry.Newer;
        entry.Newer = entry.Older = null;
        _bytes -= entry.Bytes;
        counters.AddEntry(CacheTier.Disk, entry.Kind, -entry.Bytes, -1, entry.MadeAt);
    }
}
