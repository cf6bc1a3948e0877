namespace Platform.TieredCache.Tests;

public class S3FifoTests
{
    private const int FrameBytes = 512 << 10;

    [Fact]
    public void Evict_OnePassOverALongSeries_LeavesWhatOthersUse()
    {
        var s3 = new Simulation(64 << 20);
        var lru = new LruSimulation(64 << 20);
        foreach (var trace in (ITrace[])[s3, lru])
        {
            for (var round = 0; round < 3; round++)
                for (var frame = 0; frame < 60; frame++) trace.Ask((ulong)frame, FrameBytes);
            for (var slice = 0; slice < 2000; slice++) trace.Ask(1000 + (ulong)slice, FrameBytes);
        }

        Assert.Equal(0, CountHits(lru, 60));       // a thousand megabytes have passed through: LRU kept none of the 60
        Assert.True(CountHits(s3, 60) >= 54, "S3-FIFO should keep the working set through a scan");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Evict_ReadersAmongScans_HitsMoreThanLru(int seed)
    {
        // 20 series of 40 frames, popular ones asked for more often (Zipf), among them passes over long series nobody asks for again.
        var (s3, lru) = (new Simulation(64 << 20), new LruSimulation(64 << 20));
        var random = new Random(seed);
        var weights = Enumerable.Range(1, 20).Select(rank => 1.0 / rank).ToArray();
        ulong scanned = 1 << 20;
        for (var visit = 0; visit < 400; visit++)
        {
            var pick = random.NextDouble() * weights.Sum();
            var series = 0;
            while (pick > weights[series]) pick -= weights[series++];
            for (var frame = 0; frame < 40; frame++) Both((ulong)(series * 1000 + frame));
            if (visit % 4 == 0)
                for (var slice = 0; slice < 200; slice++) Both(scanned++);
        }

        Assert.True(s3.Hits > lru.Hits * 1.5, $"S3-FIFO {s3.Hits}, LRU {lru.Hits} of {s3.Requests}");

        void Both(ulong hash)
        {
            s3.Ask(hash, FrameBytes);
            lru.Ask(hash, FrameBytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Evict_PopularityAlone_HitsNoLessThanLru(int seed)
    {
        var (s3, lru) = (new Simulation(16 << 20), new LruSimulation(16 << 20));
        var random = new Random(seed);
        for (var i = 0; i < 200_000; i++)
        {
            var hash = (ulong)Math.Pow(4000, random.NextDouble());      // about Zipf
            var bytes = 1024 << (int)(hash % 6);
            s3.Ask(hash, bytes);
            lru.Ask(hash, bytes);
        }

        Assert.True(s3.Hits >= lru.Hits * 0.99, $"S3-FIFO {s3.Hits}, LRU {lru.Hits} of {s3.Requests}");
    }

    [Fact]
    public void Evict_EntryInUse_IsPassedOver()
    {
        var policy = new S3Fifo(1 << 20);
        var lent = new LentNode(1, 1000);
        policy.Add(lent);
        for (var i = 2ul; i < 12; i++) policy.Add(new PolicyNode(i, 1000));
        for (var i = 0; i < 10; i++) Assert.NotSame(lent, policy.Evict());
        Assert.Same(lent, policy.Evict());        // at last, rather than never
        Assert.Null(policy.Evict());
    }

    [Fact]
    public void Remove_FromEitherQueue_KeepsTheSums()
    {
        var policy = new S3Fifo(10_000);
        var nodes = Enumerable.Range(0, 20).Select(i => new PolicyNode((ulong)i, 500)).ToList();
        foreach (var node in nodes)
        {
            node.Touch();
            policy.Add(node);
        }

        var evicted = policy.Evict()!;            // moves the others, which were hit, to the main queue
        foreach (var node in nodes.Where(node => node != evicted)) policy.Remove(node);
        Assert.Equal((0L, 0), (policy.Bytes, policy.Count));
    }

    private static int CountHits(ITrace trace, int frames)
    {
        var before = trace.Hits;
        for (var frame = 0; frame < frames; frame++) trace.Ask((ulong)frame, FrameBytes);
        return trace.Hits - before;
    }

    private interface ITrace
    {
        int Hits { get; }

        void Ask(ulong hash, int bytes);
    }

    private sealed class LentNode(ulong hash, long bytes) : PolicyNode(hash, bytes)
    {
        public override bool IsInUse => true;
    }

    private sealed class Simulation(long capacity) : ITrace
    {
        private readonly S3Fifo _policy = new(capacity);
        private readonly Dictionary<ulong, PolicyNode> _table = [];

        public int Hits { get; private set; }

        public int Requests { get; private set; }

        public void Ask(ulong hash, int bytes)
        {
            Requests++;
            if (_table.TryGetValue(hash, out var node))
            {
                Hits++;
                node.Touch();
                return;
            }

            while (_policy.Bytes + bytes > capacity) _table.Remove(_policy.Evict()!.Hash);
            _table[hash] = node = new PolicyNode(hash, bytes);
            _policy.Add(node);
        }
    }

    private sealed class LruSimulation(long capacity) : ITrace
    {
        private readonly LinkedList<(ulong Hash, int Bytes)> _order = new();
        private readonly Dictionary<ulong, LinkedListNode<(ulong Hash, int Bytes)>> _table = [];
        private long _bytes;

        public int Hits { get; private set; }

        public void Ask(ulong hash, int bytes)
        {
            if (_table.TryGetValue(hash, out var node))
            {
                Hits++;
                _order.Remove(node);
                _order.AddFirst(node);
                return;
            }

            while (_bytes + bytes > capacity)
            {
                _bytes -= _order.Last!.Value.Bytes;
                _table.Remove(_order.Last.Value.Hash);
                _order.RemoveLast();
            }

            _table[hash] = _order.AddFirst((hash, bytes));
            _bytes += bytes;
        }
    }
}
