using Platform.TieredCache;

namespace PerfTests.HitRate;

/// <summary>A cache of so many bytes that is asked for one item after the other and keeps what it likes.</summary>
internal interface ICachePolicy
{
    /// <summary>True on a hit. A miss brings the item in, as far as the policy wants it.</summary>
    bool Ask(Access access);
}

/// <summary>The memory tier's own policy, driven as the memory tier drives it: by bytes, evicting before it adds.</summary>
internal sealed class OurPolicy(long capacityBytes) : ICachePolicy
{
    private readonly EvictionPolicy _policy = new(capacityBytes);
    private readonly Dictionary<ulong, PolicyNode> _table = [];

    public bool Ask(Access access)
    {
        if (_table.TryGetValue((ulong)access.Item, out var node))
        {
            if (_policy.Touch(node)) _policy.Drain();
            return true;
        }

        while (_policy.Bytes + access.Bytes > capacityBytes)
        {
            if (_policy.Evict() is not { } evicted) return false;
            _table.Remove(evicted.Hash);
        }

        _table[(ulong)access.Item] = node = new PolicyNode((ulong)access.Item, access.Bytes);
        _policy.Add(node);
        return false;
    }
}

/// <summary>The least recently used goes.</summary>
internal sealed class Lru(long capacityBytes) : ICachePolicy
{
    private readonly LinkedList<Access> _order = new();
    private readonly Dictionary<int, LinkedListNode<Access>> _table = [];
    private long _bytes;

    public bool Ask(Access access)
    {
        if (_table.TryGetValue(access.Item, out var node))
        {
            _order.Remove(node);
            _order.AddFirst(node);
            return true;
        }

        if (access.Bytes > capacityBytes) return false;
        while (_bytes + access.Bytes > capacityBytes)
        {
            var last = _order.Last!;
            _order.RemoveLast();
            _table.Remove(last.Value.Item);
            _bytes -= last.Value.Bytes;
        }

        _table[access.Item] = _order.AddFirst(access);
        _bytes += access.Bytes;
        return false;
    }
}

/// <summary>
/// Belady's rule with the future known: what is needed again last goes, also the item just asked for, and what is needed
/// never is not kept. With items of one size nothing hits more; with several sizes it is what an oracle reaches, and
/// <see cref="Bound"/> says what nothing exceeds.
/// </summary>
internal sealed class Belady(long capacityBytes, Trace trace) : ICachePolicy
{
    private readonly int[] _next = trace.NextUses();
    private readonly SortedSet<(int NextUse, int Item)> _kept = [];
    private readonly Dictionary<int, (int NextUse, int Bytes)> _table = [];
    private long _bytes;
    private int _now;

    public bool Ask(Access access)
    {
        var next = _next[_now++];
        var isHit = _table.Remove(access.Item, out var entry);
        if (isHit)
        {
            _kept.Remove((entry.NextUse, access.Item));
            _bytes -= access.Bytes;
        }

        if (next == int.MaxValue || access.Bytes > capacityBytes) return isHit;
        _table[access.Item] = (next, access.Bytes);
        _kept.Add((next, access.Item));
        _bytes += access.Bytes;
        while (_bytes > capacityBytes)
        {
            var farthest = _kept.Max;
            _kept.Remove(farthest);
            _table.Remove(farthest.Item, out var gone);
            _bytes -= gone.Bytes;
        }

        return isHit;
    }
}

/// <summary>
/// What no policy exceeds: each hit needs its item's bytes held from one request to the next, and all of them together have the capacity times
/// the length of the trace (PFOO-U of Berger, Beckmann and Harchol-Balter, SIGMETRICS 2018). The cheapest are taken first.
/// </summary>
internal static class Bound
{
    public static (double ByRequest, double ByByte) Of(Trace trace, long capacityBytes)
    {
        var next = trace.NextUses();
        var intervals = Enumerable.Range(0, next.Length).Where(i => next[i] != int.MaxValue).Select(i => (Length: (long)next[i] - i, trace.Accesses[i].Bytes)).ToList();
        var budget = (double)capacityBytes * next.Length;
        double hits = 0, bytes = 0, left = budget;
        foreach (var (length, size) in intervals.OrderBy(i => i.Length * i.Bytes))
        {
            if ((left -= (double)length * size) < 0) break;
            hits++;
        }

        left = budget;
        foreach (var (length, size) in intervals.OrderBy(i => i.Length))
        {
            if ((left -= (double)length * size) < 0) break;
            bytes += size;
        }

        return (hits / trace.Accesses.Length, bytes / trace.Bytes);
    }
}

/// <summary>Memory over disk over the origin: what memory misses is asked of the disk, and what comes from either goes into those above.</summary>
internal sealed class Hierarchy(ICachePolicy memory, ICachePolicy disk) : ICachePolicy
{
    public bool Ask(Access access) => memory.Ask(access) || disk.Ask(access);
}
