namespace Platform.TieredCache;

/// <summary>
/// A rule for what to keep in so many bytes, played on what is asked for without holding any of it; O(1), amortised. Not thread-safe.
/// </summary>
internal interface IEvictionRule
{
    /// <summary>Tells that an item was asked for. True when the rule would have had it; now it has in any case.</summary>
    bool Ask(KnownItem item);

    /// <summary>Takes out what the rule would let go next; null when it has nothing.</summary>
    KnownItem? Evict();

    /// <summary>Forgets an item.</summary>
    void Remove(KnownItem item);

    /// <summary>The oldest of the items that are kept although the rule would not keep them.</summary>
    KnownItem? OldestUnwanted { get; }

    int UnwantedCount { get; }

    void PushUnwanted(KnownItem item);

    void RemoveUnwanted(KnownItem item);
}

/// <summary>Who was not asked for longest goes.</summary>
internal sealed class LruRule(Func<long> capacityBytes, Action<KnownItem, IEvictionRule> left) : IEvictionRule
{
    private readonly ItemList<LruLink> _order = new();
    private readonly ItemList<LruUnwantedLink> _unwanted = new();

    public KnownItem? OldestUnwanted => _unwanted.Oldest;

    public int UnwantedCount => _unwanted.Count;

    public bool Ask(KnownItem item)
    {
        if (item.IsIn<LruLink>())
        {
            _order.MoveToNewest(item);
            return true;
        }

        while (_order.Count > 0 && _order.Bytes + item.Bytes > capacityBytes()) left(_order.Pop(), this);
        _order.Push(item);
        return false;
    }

    public KnownItem? Evict() => _order.Count == 0 ? null : _order.Pop();

    public void Remove(KnownItem item)
    {
        if (item.IsIn<LruLink>()) _order.Remove(item);
    }

    public void PushUnwanted(KnownItem item) => _unwanted.Push(item);

    public void RemoveUnwanted(KnownItem item)
    {
        if (item.IsIn<LruUnwantedLink>()) _unwanted.Remove(item);
    }
}

internal enum S3Place : byte { None, Small, Main, Ghost }

/// <summary>
/// S3-FIFO (Yang et al., SOSP 2023), counted in bytes. What is new enters a small queue of a tenth of the capacity; what is asked for
/// again moves on to the main queue, the rest leaves through the small one, so that one pass over a long series does not displace what
/// others use. Ghosts remember what left the small queue: who comes back soon enters the main queue. Until
/// the main queue is full for the first time it takes everything: a series that is read twice finds its first part there.
/// </summary>
internal sealed class S3FifoRule(Func<long> capacityBytes, Action<KnownItem, IEvictionRule> left) : IEvictionRule
{
    private const byte MaxHits = 3;

    private readonly ItemList<S3Link> _small = new(), _main = new(), _ghosts = new();
    private readonly ItemList<S3UnwantedLink> _unwanted = new();

    public KnownItem? OldestUnwanted => _unwanted.Oldest;

    public int UnwantedCount => _unwanted.Count;

    public bool Ask(KnownItem item)
    {
        if (item.Place is S3Place.Small or S3Place.Main)
        {
            if (item.Hits < MaxHits) item.Hits++;
            return true;
        }

        // Taken out first: making room may let ghosts go.
        var isBack = item.Place == S3Place.Ghost;
        Remove(item);
        var capacity = capacityBytes();
        while (_small.Bytes + _main.Bytes + item.Bytes > capacity && Evict() is { } evicted) left(evicted, this);
        item.Hits = 0;
        item.Place = isBack || _small.Bytes + _main.Bytes + item.Bytes <= capacity - (capacity / 10) ? S3Place.Main : S3Place.Small;
        (item.Place == S3Place.Main ? _main : _small).Push(item);
        return false;
    }

    public KnownItem? Evict()
    {
        while (true)
        {
            if (_small.Count > 0 && (_small.Bytes >= capacityBytes() / 10 || _main.Count == 0))
            {
                var item = _small.Pop();
                if (item.Hits == 0)
                {
                    Remember(item);
                    return item;
                }

                item.Hits = 0;
                item.Place = S3Place.Main;
                _main.Push(item);
            }
            else if (_main.Count > 0)
            {
                var item = _main.Pop();
                if (item.Hits == 0)
                {
                    item.Place = S3Place.None;
                    return item;
                }

                item.Hits--;
                _main.Push(item);
            }
            else
            {
                return null;
            }
        }
    }

    public void Remove(KnownItem item)
    {
        switch (item.Place)
        {
            case S3Place.Small: _small.Remove(item); break;
            case S3Place.Main: _main.Remove(item); break;
            case S3Place.Ghost: _ghosts.Remove(item); break;
        }

        item.Place = S3Place.None;
    }

    public void PushUnwanted(KnownItem item) => _unwanted.Push(item);

    public void RemoveUnwanted(KnownItem item)
    {
        if (item.IsIn<S3UnwantedLink>()) _unwanted.Remove(item);
    }

    private void Remember(KnownItem item)
    {
        item.Place = S3Place.Ghost;
        _ghosts.Push(item);
        while (_ghosts.Bytes > capacityBytes())
        {
            var forgotten = _ghosts.Pop();
            forgotten.Place = S3Place.None;
            if (forgotten != item) left(forgotten, this);
        }
    }
}
