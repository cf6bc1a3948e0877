using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Platform.TieredCache;

/// <summary>A kept value: its bytes and its place in the eviction policy.</summary>
internal sealed class MemoryEntry(CacheKey key, Body body) : PolicyNode(key.Hash64, body.BlockBytes + MemoryTier.EntryOverheadBytes)
{
    public CacheKey Key { get; } = key;

    public Body Body { get; } = body;

    public override bool IsInUse => Body.References > 1;
}

/// <summary>
/// The values in memory. Looking one up takes no lock: the table is read concurrently, and a value is only used after
/// its reference count was raised from at least one. Adding, evicting and removing hold one lock; memory goes back to
/// the pool outside it.
/// </summary>
internal sealed class MemoryTier : IDisposable
{
    /// <summary>Managed memory that an entry takes beside its blocks: measured, see MemoryTierTests.</summary>
    public const int EntryOverheadBytes = 960;

    private readonly ConcurrentDictionary<CacheKey, MemoryEntry> _table = new();
    private readonly Dictionary<CacheTag, HashSet<MemoryEntry>> _byTag = [];
    private readonly Lock _lock = new();
    private readonly EvictionPolicy _policy;
    private readonly CacheCounters _counters;

    public MemoryTier(MemoryTierOptions options, CacheCounters counters)
    {
        _counters = counters;
        Pool = new SegmentPool(options);
        LimitBytes = Pool.CapacityBytes - Pool.BookkeepingBytes;
        _policy = new EvictionPolicy(LimitBytes);
    }

    public SegmentPool Pool { get; }

    /// <summary>What blocks and entries may take together: the capacity less the arena's own books.</summary>
    public long LimitBytes { get; private set; }

    /// <summary>What is charged now: lent blocks, kept or not, and the entries' overhead.</summary>
    public long ChargedBytes => Pool.UsedBytes + (long)_policy.Count * EntryOverheadBytes;

    public int Count => _policy.Count;

    /// <summary>The value with one reference added for the caller.</summary>
    public bool TryGet(CacheKey key, [NotNullWhen(true)] out Body? body)
    {
        if (_table.TryGetValue(key, out var entry) && entry.Body.TryAddReference())
        {
            body = entry.Body;
            if (_policy.Touch(entry)) DrainTouches();
            return true;
        }

        body = null;
        return false;
    }

    private void DrainTouches()
    {
        // Whoever holds it drains them too, or soon: a reader does not wait.
        if (!_lock.TryEnter()) return;
        try
        {
            _policy.Drain();
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Keeps a complete value, adding a reference of its own. False when the key is there already.</summary>
    public bool TryAdd(CacheKey key, Body body)
    {
        var entry = new MemoryEntry(key, body);
        lock (_lock)
        {
            if (_table.ContainsKey(key) || !body.TryAddReference()) return false;
            _table[key] = entry;
            _policy.Add(entry);
            foreach (var tag in body.Header.Tags)
                (CollectionsMarshal.GetValueRefOrAddDefault(_byTag, tag, out _) ??= []).Add(entry);
        }

        _counters.AddEntry(CacheTier.Memory, key.Kind, entry.Bytes, 1, body.Header.MadeAt);
        MakeRoom(0);
        return true;
    }

    public void Forget(Invalidation what)
    {
        MemoryEntry[] entries;
        lock (_lock)
        {
            entries = what.Scope switch
            {
                InvalidationScope.Key => _table.TryGetValue(what.Key, out var entry) ? [entry] : [],
                InvalidationScope.Tag => _byTag.TryGetValue(what.Tag, out var tagged) ? [.. tagged] : [],
                InvalidationScope.Kind => [.. _table.Values.Where(e => e.Key.Kind == what.Kind)],
                _ => [.. _table.Values],
            };
            foreach (var entry in entries)
            {
                _policy.Remove(entry);
                Forget(entry);
            }
        }

        foreach (var entry in entries) Let(entry);
    }

    /// <summary>Changes the limit to <paramref name="capacityBytes"/> less the arena's books, within what was reserved.</summary>
    public void SetCapacity(long capacityBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacityBytes, Pool.CapacityBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, 2 << 20);
        LimitBytes = capacityBytes - Pool.BookkeepingBytes;
        lock (_lock) _policy.CapacityBytes = LimitBytes;
        MakeRoom(0);
    }

    /// <summary>Evicts until <paramref name="bytes"/> more fit under the limit, or nothing is left to evict.</summary>
    public bool MakeRoom(long bytes)
    {
        // What is in use gives nothing back when it goes: stop after twice the need rather than empty the tier for it.
        long freedAtMost = 0;
        while (ChargedBytes + bytes > LimitBytes)
        {
            if (freedAtMost > 2 * bytes + (4 << 20)) return false;
            MemoryEntry? entry;
            lock (_lock)
            {
                entry = (MemoryEntry?)_policy.Evict();
                if (entry is null) return false;
                Forget(entry);
            }

            freedAtMost += entry.Bytes;
            _counters.AddEviction(CacheTier.Memory, entry.Key.Kind);
            Let(entry);
        }

        return true;
    }

    /// <summary>
    /// A block for a value being made: as large as wanted where that can be had, else smaller pieces, else beyond the
    /// arena; null when that is used up too.
    /// </summary>
    public Block? TryRent(int preferred, int least)
    {
        if (least <= BuddyArena.MaxBlockBytes && MakeRoom(preferred))
        {
            if (Pool.TryRent(preferred, least) is { } block) return block;
            // There is room, only not in one piece: evict a little more, neighbours may join.
            MakeRoom(4L * least);
            if (Pool.TryRent(preferred, least) is { } joined) return joined;
        }

        return Pool.TryRentOverflow(least, force: false);
    }

    /// <summary>Checks the books against each other; for soak tests, while nothing else runs.</summary>
    public void Verify()
    {
        Pool.Verify();
        lock (_lock)
        {
            long blocks = 0;
            foreach (var (key, entry) in _table)
            {
                if (entry.Key != key || entry.Item is null) throw new InvalidOperationException("An entry is in the table and not in the policy.");
                if (entry.Body.References < 1) throw new InvalidOperationException("A kept value has no reference.");
                blocks += entry.Body.BlockBytes;
            }

            if (_table.Count != _policy.Count) throw new InvalidOperationException($"{_table.Count} entries in the table, {_policy.Count} in the policy.");
            if (blocks > Pool.UsedBytes) throw new InvalidOperationException($"Kept values have {blocks} B of {Pool.UsedBytes} B lent.");
            foreach (var (_, tagged) in _byTag)
                foreach (var entry in tagged)
                    if (entry.Item is null) throw new InvalidOperationException("A tag names an entry that is gone.");
        }
    }

    /// <summary>The entries at this moment. They hold no reference for the caller: headers only.</summary>
    public ICollection<MemoryEntry> Snapshot() => _table.Values;

    public void Clear()
    {
        while (true)
        {
            MemoryEntry? entry;
            lock (_lock)
            {
                entry = (MemoryEntry?)_policy.Evict();
                if (entry is null) return;
                Forget(entry);
            }

            Let(entry);
        }
    }

    public void Dispose()
    {
        Clear();
        Pool.Dispose();
    }

    private void Forget(MemoryEntry entry)
    {
        _table.TryRemove(entry.Key, out _);
        foreach (var tag in entry.Body.Header.Tags)
        {
            if (!_byTag.TryGetValue(tag, out var tagged)) continue;
            tagged.Remove(entry);
            if (tagged.Count == 0) _byTag.Remove(tag);
        }
    }

    private void Let(MemoryEntry entry)
    {
        _counters.AddEntry(CacheTier.Memory, entry.Key.Kind, -entry.Bytes, -1, entry.Body.Header.MadeAt);
        entry.Body.Release();
    }
}
