namespace Platform.TieredCache.Tests;

public class EvictionPolicyTests
{
    private const int FrameBytes = 512 << 10;
    private const long Capacity = 64 << 20;

    [Fact]
    public void Evict_OnePassOverALongSeries_LeavesWhatOthersUse()
    {
        var (ours, lru) = (new Simulation(Capacity), new LruSimulation(Capacity));
        foreach (var trace in (ITrace[])[ours, lru])
        {
            for (var round = 0; round < 3; round++)
                for (var frame = 0; frame < 60; frame++) trace.Ask((ulong)frame, FrameBytes);
            for (var slice = 0; slice < 2000; slice++) trace.Ask(1000 + (ulong)slice, FrameBytes);
        }

        Assert.Equal(0, CountHits(lru, 60));       // a thousand megabytes have passed through: LRU kept none of the 60
        Assert.True(CountHits(ours, 60) >= 54, "the working set should stay through a scan");
    }

    [Fact]
    public void Evict_SecondPassOverASeriesLargerThanMemory_FindsMostOfWhatFits()
    {
        var ours = new Simulation(Capacity);
        for (var slice = 0; slice < 192; slice++) ours.Ask((ulong)slice, FrameBytes);
        Assert.True(CountHits(ours, 192) >= 110, "128 of the 192 slices fit");
    }

    [Fact]
    public void Evict_ScrollingToAndFro_HitsAsMuchAsLru()
    {
        var (ours, lru) = (new Simulation(Capacity), new LruSimulation(Capacity));
        for (var i = 0; i < 20 * 300; i++)
        {
            var slice = (ulong)(i / 300 % 2 == 0 ? i % 300 : 299 - (i % 300));
            ours.Ask(slice, FrameBytes);
            lru.Ask(slice, FrameBytes);
        }

        Assert.True(ours.Hits > lru.Hits * 0.94, $"ours {ours.Hits}, LRU {lru.Hits} of {ours.Requests}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Evict_ReadersAmongScans_HitsMoreThanLru(int seed)
    {
        // 20 series of 40 frames, popular ones asked for more often (Zipf), among them passes over long series nobody asks for again.
        var (ours, lru) = (new Simulation(Capacity), new LruSimulation(Capacity));
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

        Assert.True(ours.Hits > lru.Hits + (ours.Requests / 10), $"ours {ours.Hits}, LRU {lru.Hits} of {ours.Requests}");

        void Both(ulong hash)
        {
            ours.Ask(hash, FrameBytes);
            lru.Ask(hash, FrameBytes);
        }
    }

    [Fact]
    public void Evict_WhatPeopleDoChanges_FollowsThem()
    {
        // Hours of scrolling, then scans among favourites, then scrolling again.
        var (ours, lru) = (new Simulation(Capacity), new LruSimulation(Capacity));
        var random = new Random(1);
        Scroll(20_000);
        var (before, lruBefore) = (ours.Hits, lru.Hits);
        for (var i = 0; i < 20_000; i++) Both(i % 2 == 0 ? (ulong)random.Next(60) : 1_000_000 + (ulong)i);
        Assert.True(ours.Hits - before > (lru.Hits - lruBefore) + 2000, $"scans: ours {ours.Hits - before}, LRU {lru.Hits - lruBefore}");
        (before, lruBefore) = (ours.Hits, lru.Hits);
        Scroll(20_000);
        Assert.True(ours.Hits - before > (lru.Hits - lruBefore) * 0.94, $"scrolling: ours {ours.Hits - before}, LRU {lru.Hits - lruBefore}");

        void Scroll(int requests)
        {
            for (var i = 0; i < requests; i++) Both(10_000 + (ulong)(i / 300 % 2 == 0 ? i % 300 : 299 - (i % 300)));
        }

        void Both(ulong hash)
        {
            ours.Ask(hash, FrameBytes);
            lru.Ask(hash, FrameBytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Evict_PopularityAlone_HitsNoLessThanLru(int seed)
    {
        var (ours, lru) = (new Simulation(16 << 20), new LruSimulation(16 << 20));
        var random = new Random(seed);
        for (var i = 0; i < 200_000; i++)
        {
            var hash = (ulong)Math.Pow(4000, random.NextDouble());      // about Zipf
            var bytes = 1024 << (int)(hash % 6);
            ours.Ask(hash, bytes);
            lru.Ask(hash, bytes);
        }

        Assert.True(ours.Hits >= lru.Hits, $"ours {ours.Hits}, LRU {lru.Hits} of {ours.Requests}");
    }

    [Fact]
    public void Evict_EntryInUse_IsPassedOver()
    {
        var policy = new EvictionPolicy(1 << 20);
        var lent = new LentNode(1, 1000);
        policy.Add(lent);
        for (var i = 2ul; i < 12; i++) policy.Add(new PolicyNode(i, 1000));
        for (var i = 0; i < 10; i++) Assert.NotSame(lent, policy.Evict());
        Assert.Same(lent, policy.Evict());        // at last, rather than never
        Assert.Null(policy.Evict());
    }

    [Fact]
    public void AddRemoveEvict_AtRandom_KeepsTheBooks()
    {
        // Against a plain dictionary: sums and counts, nothing evicted twice, what is remembered stays bounded.
        const long Small = 1 << 20;
        var (policy, kept, random) = (new EvictionPolicy(Small), new Dictionary<ulong, PolicyNode>(), new Random(1));
        for (var i = 0; i < 200_000; i++)
        {
            var hash = (ulong)random.Next(2000);
            if (kept.TryGetValue(hash, out var node))
            {
                if (random.Next(20) == 0)
                {
                    policy.Remove(node);
                    kept.Remove(hash);
                }
                else if (policy.Touch(node))
                {
                    policy.Drain();
                }

                continue;
            }

            var bytes = random.Next(1, 10_000);
            while (policy.Bytes + bytes > Small) Assert.True(kept.Remove(policy.Evict()!.Hash));
            policy.Add(kept[hash] = random.Next(10) == 0 ? new LentNode(hash, bytes) : new PolicyNode(hash, bytes));
            Assert.Equal((kept.Count, kept.Values.Sum(n => n.Bytes)), (policy.Count, policy.Bytes));
        }

        Assert.InRange(policy.Known, policy.Count, 2000);
        while (policy.Evict() is { } last) Assert.True(kept.Remove(last.Hash));
        Assert.Empty(kept);
        Assert.Equal((0L, 0), (policy.Bytes, policy.Count));
    }

    [Fact]
    public void Add_MoreItemsThanFit_RemembersAFewTimesWhatFits()
    {
        var policy = new Simulation(1 << 20);
        for (var i = 0ul; i < 100_000; i++) policy.Ask(i, 1024);
        Assert.InRange(policy.Known, 1024, 4 * 1024);
    }

    [Fact]
    public void Touch_FromManyThreads_LosesNothingButNotes()
    {
        var (policy, gate) = (new EvictionPolicy(1 << 20), new Lock());
        var nodes = Enumerable.Range(0, 200).Select(i => new PolicyNode((ulong)i, 1000)).ToArray();
        foreach (var node in nodes) policy.Add(node);
        Parallel.For(0, 4, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 100_000; i++)
                if (policy.Touch(nodes[random.Next(nodes.Length)]))
                    lock (gate) policy.Drain();
        });
        policy.Drain();
        Assert.Equal((200, 200_000L), (policy.Count, policy.Bytes));
        var evicted = new HashSet<ulong>();
        while (policy.Evict() is { } node) Assert.True(evicted.Add(node.Hash));
        Assert.Equal(200, evicted.Count);
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
        private readonly EvictionPolicy _policy = new(capacity);
        private readonly Dictionary<ulong, PolicyNode> _table = [];

        public int Hits { get; private set; }

        public int Requests { get; private set; }

        public int Known => _policy.Known;

        public void Ask(ulong hash, int bytes)
        {
            Requests++;
            if (_table.TryGetValue(hash, out var node))
            {
                Hits++;
                if (_policy.Touch(node)) _policy.Drain();
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
