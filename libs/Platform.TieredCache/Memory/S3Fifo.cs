namespace Platform.TieredCache;

/// <summary>What the eviction policy keeps of an entry: links into its queue and how often it was asked for.</summary>
internal class PolicyNode(ulong hash, long bytes)
{
    internal enum Place : byte { None, Small, Main }

    public ulong Hash { get; } = hash;

    /// <summary>Bytes that the entry is charged with.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Hits since it was last looked at, up to 3. Written without a lock: a lost increment does no harm.</summary>
    public byte Hits;

    internal Place In;
    internal PolicyNode? Newer, Older;

    /// <summary>Notes a hit. A write only while it changes something, so that a hot entry's cache line stays shared.</summary>
    public void Touch()
    {
        var hits = Hits;
        if (hits < 3) Hits = (byte)(hits + 1);
    }

    /// <summary>True while evicting would free nothing.</summary>
    public virtual bool IsInUse => false;
}

/// <summary>
/// Which entry goes: S3-FIFO (Yang et al., SOSP 2023), counted in bytes. New entries enter a small queue of a tenth of
/// the capacity; those asked for again move on to the main queue, the others leave through it, so that one pass over
/// a long series does not displace what others use. A ghost queue remembers the hashes of what left the small queue:
/// who comes back soon enters the main queue directly. All operations are O(1), amortised. Not thread-safe, except <see cref="PolicyNode.Touch"/>.
/// </summary>
internal sealed class S3Fifo(long capacityBytes)
{
    private const int MaxGhosts = 1 << 16;
    private const int MaxRotations = 32;

    private readonly Fifo _small = new(PolicyNode.Place.Small), _main = new(PolicyNode.Place.Main);
    private readonly long _smallBytes = capacityBytes / 10;
    private readonly Queue<(ulong Hash, long Bytes)> _ghosts = new();
    private readonly HashSet<ulong> _ghostSet = [];
    private long _ghostBytes;

    public long Bytes => _small.Bytes + _main.Bytes;

    public int Count => _small.Count + _main.Count;

    public void Add(PolicyNode node)
    {
        if (_ghostSet.Remove(node.Hash)) _main.Push(node);
        else _small.Push(node);
    }

    public void Remove(PolicyNode node)
    {
        if (node.In == PolicyNode.Place.Small) _small.Remove(node);
        else if (node.In == PolicyNode.Place.Main) _main.Remove(node);
    }

    /// <summary>Takes out the entry that is worth least; null when there is none.</summary>
    public PolicyNode? Evict()
    {
        // An entry in use is passed over a bounded number of times: its memory would not come back yet.
        var rotations = 0;
        while (true)
        {
            if (_small.Count > 0 && (_small.Bytes >= _smallBytes || _main.Count == 0))
            {
                var node = _small.Pop();
                if (node.Hits > 0)
                {
                    node.Hits = 0;
                    _main.Push(node);
                }
                else if (node.IsInUse && rotations++ < MaxRotations)
                {
                    _small.Push(node);
                }
                else
                {
                    Remember(node);
                    return node;
                }
            }
            else if (_main.Count > 0)
            {
                var node = _main.Pop();
                if (node.Hits > 0)
                {
                    node.Hits--;
                    _main.Push(node);
                }
                else if (node.IsInUse && rotations++ < MaxRotations)
                {
                    _main.Push(node);
                }
                else
                {
                    return node;
                }
            }
            else
            {
                return null;
            }
        }
    }

    private void Remember(PolicyNode node)
    {
        if (_ghostSet.Add(node.Hash))
        {
            _ghosts.Enqueue((node.Hash, node.Bytes));
            _ghostBytes += node.Bytes;
        }

        while (_ghosts.Count > MaxGhosts || _ghostBytes > capacityBytes)
        {
            var (hash, bytes) = _ghosts.Dequeue();
            _ghostBytes -= bytes;
            _ghostSet.Remove(hash);
        }
    }

    private sealed class Fifo(PolicyNode.Place place)
    {
        private PolicyNode? _newest, _oldest;

        public long Bytes { get; private set; }

        public int Count { get; private set; }

        public void Push(PolicyNode node)
        {
            node.In = place;
            node.Newer = null;
            node.Older = _newest;
            if (_newest is not null) _newest.Newer = node;
            else _oldest = node;
            _newest = node;
            Bytes += node.Bytes;
            Count++;
        }

        public PolicyNode Pop()
        {
            var node = _oldest!;
            Remove(node);
            return node;
        }

        public void Remove(PolicyNode node)
        {
            if (node.Newer is null) _newest = node.Older;
            else node.Newer.Older = node.Older;
            if (node.Older is null) _oldest = node.Newer;
            else node.Older.Newer = node.Newer;
            node.Newer = node.Older = null;
            node.In = PolicyNode.Place.None;
            Bytes -= node.Bytes;
            Count--;
        }
    }
}
