namespace Platform.TieredCache;

/// <summary>What the eviction policy needs of a kept entry.</summary>
internal class PolicyNode(ulong hash, long bytes)
{
    public ulong Hash { get; } = hash;

    /// <summary>Bytes that the entry is charged with.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Hits that were noted: fewer than there were, where they came close together.</summary>
    public int Hits { get; internal set; }

    internal KnownItem? Item;

    /// <summary>When it was last noted as hit; see <see cref="TouchBuffer"/>.</summary>
    internal int TouchedIn;

    /// <summary>True while evicting would free nothing.</summary>
    public virtual bool IsInUse => false;
}

/// <summary>
/// Which entry goes. Two rules are played side by side on everything that is asked for, least recently used and S3-FIFO,
/// and the one that would have hit more of late decides what really goes: people who scroll to and fro are served best by the
/// first, passes over long series and favourites among them by the second, and neither rule comes near the other on the other's ground
/// (figures: PerfTests, <c>hitrate</c>). Hits are noted without a lock (<see cref="TouchBuffer"/>) and played later.
/// Everything is O(1), amortised. Not thread-safe, except <see cref="Touch"/>.
/// </summary>
internal sealed class EvictionPolicy
{
    private const int MaxPassedOver = 32;

    // How many hits one rule must be ahead before the other stops deciding; and over how many requests per kept entry a lead is forgotten.
    // It grows to half the number of entries at most, so that what people do now weighs more than what they did all day.
    private const double Margin = 4, Memory = 16;

    private readonly Dictionary<ulong, KnownItem> _known = [];
    private readonly TouchBuffer _touches = new();
    private readonly LruRule _lru;
    private readonly S3FifoRule _s3;
    private IEvictionRule _leader;
    private double _lead;
    private long _agreed;

    public EvictionPolicy(long capacityBytes)
    {
        CapacityBytes = capacityBytes;
        _lru = new LruRule(() => CapacityBytes, Left);
        _s3 = new S3FifoRule(() => CapacityBytes, Left);
        _leader = _s3;
    }

    /// <summary>What the rules play with; may change.</summary>
    public long CapacityBytes { get; set; }

    /// <summary>Bytes of the kept entries.</summary>
    public long Bytes { get; private set; }

    /// <summary>Kept entries.</summary>
    public int Count { get; private set; }

    /// <summary>Items of which something is remembered, kept or not.</summary>
    public int Known => _known.Count;

    /// <summary>Notes a hit, from any thread. True when it is time to call <see cref="Drain"/>.</summary>
    public bool Touch(PolicyNode node) => _touches.Add(node);

    /// <summary>Takes account of the hits that were noted.</summary>
    public void Drain() => _touches.Drain(this);

    public void Add(PolicyNode node)
    {
        Drain();
        if (!_known.TryGetValue(node.Hash, out var item) || item.Kept is not null || item.Bytes != node.Bytes)
        {
            if (item is { Kept: null }) Forget(item);        // it has another length now
            item = new KnownItem(node.Hash, node.Bytes);
            _known.TryAdd(node.Hash, item);                  // refused where a kept entry has the same 64 bits: then this one is not remembered when it goes
        }

        item.Kept = node;
        node.Item = item;
        Bytes += node.Bytes;
        Count++;
        Play(item);
    }

    public void Remove(PolicyNode node)
    {
        if (node.Item is not { } item) return;
        Forget(item);
    }

    /// <summary>Takes out the entry that is worth least; null when there is none.</summary>
    public PolicyNode? Evict()
    {
        Drain();
        // An entry in use is passed over a bounded number of times: its memory would not come back yet.
        for (var left = Math.Min(MaxPassedOver, _leader.UnwantedCount); left > 0; left--)
        {
            var item = _leader.OldestUnwanted!;
            if (!item.Kept!.IsInUse) return TakeOut(item);
            _leader.RemoveUnwanted(item);
            _leader.PushUnwanted(item);
        }

        for (var passed = 0; _leader.Evict() is { } item;)
        {
            Left(item, _leader);
            if (item.Kept is { } node && (!node.IsInUse || passed++ == MaxPassedOver)) return TakeOut(item);
        }

        return _leader.OldestUnwanted is { } last ? TakeOut(last) : null;
    }

    private PolicyNode TakeOut(KnownItem item)
    {
        var node = item.Kept!;
        node.Item = null;
        item.Kept = null;
        Bytes -= node.Bytes;
        Count--;
        _lru.RemoveUnwanted(item);
        _s3.RemoveUnwanted(item);
        if (item.IsForgettable) Unknow(item);
        return node;
    }

    /// <summary>Tells both rules that an item was asked for, and sees who is ahead.</summary>
    internal void Play(KnownItem item)
    {
        _lru.RemoveUnwanted(item);
        _s3.RemoveUnwanted(item);
        var (lru, s3) = (_lru.Ask(item), _s3.Ask(item));
        if (lru == s3)
        {
            _agreed++;
            return;
        }

        // Leads fade with every request; those on which the rules agreed are made up for here.
        var entries = Math.Max(32, Count);
        _lead *= Math.Exp(-(_agreed + 1) / (Memory * entries));
        _agreed = 0;
        _lead = Math.Clamp(_lead + (lru ? 1 : -1), -entries / 2.0, entries / 2.0);
        if (_lead > Margin) _leader = _lru;
        else if (_lead < -Margin) _leader = _s3;
    }

    /// <summary>A rule has let go of an item.</summary>
    private void Left(KnownItem item, IEvictionRule rule)
    {
        if (item.Kept is not null)
        {
            // A ghost that is forgotten was let go before.
            rule.RemoveUnwanted(item);
            rule.PushUnwanted(item);
        }
        else if (item.IsForgettable)
        {
            Unknow(item);
        }
    }

    private void Forget(KnownItem item)
    {
        if (item.Kept is not null) TakeOut(item);
        _lru.Remove(item);
        _s3.Remove(item);
        Unknow(item);
    }

    private void Unknow(KnownItem item)
    {
        if (_known.TryGetValue(item.Hash, out var known) && known == item) _known.Remove(item.Hash);
    }
}
