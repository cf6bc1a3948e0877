using PerfTests.HitRate;

namespace PerfTests.Tests;

public class HitRateTests
{
    [Fact]
    public void All_SameSeed_SameTraces()
    {
        var (once, again, other) = (Traces.All(1), Traces.All(1), Traces.All(2));
        Assert.All(once.Zip(again), pair => Assert.Equal(pair.First.Accesses, pair.Second.Accesses));
        Assert.NotEqual(once[^1].Accesses, other[^1].Accesses);
        Assert.All(once, trace => Assert.All(trace.Accesses.GroupBy(a => a.Item), item => Assert.Single(item.Select(a => a.Bytes).Distinct())));
        Assert.Equal(once.Count, once.Select(t => t.Name).Distinct().Count());
    }

    [Fact]
    public void NextUses_SmallTrace_NameTheNextRequestOfTheSameItem()
        => Assert.Equal([2, int.MaxValue, 3, int.MaxValue], Of(4, 1, 2, 1, 1).NextUses());

    [Fact]
    public void Lru_SmallTrace_LetsTheLeastRecentlyUsedGo()
        => Assert.Equal([false, false, true, false, false, true], Play(new Lru(2), Of(2, 1, 2, 1, 3, 2, 3)));

    [Fact]
    public void Belady_LoopLargerThanTheCache_KeepsWhatItCanWhereLruKeepsNothing()
    {
        var trace = Of(3, [.. Enumerable.Range(0, 40).Select(i => i % 4)]);
        Assert.DoesNotContain(true, Play(new Lru(3), trace));
        // Against an exhaustive search over all decisions.
        Assert.Equal(BestOf(trace, 3), Play(new Belady(3, trace), trace).Count(hit => hit));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Belady_RandomTracesOfOneSize_IsTheBestThereIs(int seed)
    {
        var random = new Random(seed);
        var trace = Of(2, [.. Enumerable.Range(0, 14).Select(_ => random.Next(5))]);
        var best = BestOf(trace, 2);
        Assert.Equal(best, Play(new Belady(2, trace), trace).Count(hit => hit));
        Assert.True(Bound.Of(trace, 2).ByRequest * 14 >= best - 1e-9);
    }

    [Fact]
    public void Measure_ViewerSessions_MeetsWhatIsPromised()
    {
        var sessions = Traces.All(1).Single(t => t.Name == "viewer sessions");
        var rows = HitRateCommand.Measure(sessions).ToLookup(m => (m.Target, m.Measure, m.Conditions["in"]), m => m.Median);
        foreach (var measure in (string[])["hits by request", "hits by byte"])
        {
            Assert.InRange(rows[("ours", measure, "memory and disk")].Single(), 80, 100);
            var (memory, lru) = (rows[("ours", measure, "memory")].Single(), rows[("lru", measure, "memory")].Single());
            Assert.True(memory > lru - 2, $"{measure}: {memory} %, LRU {lru} %");
            Assert.True(rows[("belady", measure, "memory")].Single() <= rows[("bound", measure, "memory")].Single());
        }
    }

    private static Trace Of(long memoryBytes, params int[] items) => new("test", memoryBytes, [.. items.Select(item => new Access(item, 1))]);

    private static bool[] Play(ICachePolicy policy, Trace trace) => [.. trace.Accesses.Select(policy.Ask)];

    /// <summary>The most hits that any sequence of decisions gives; items of one byte.</summary>
    private static int BestOf(Trace trace, int capacity)
    {
        var best = new Dictionary<string, int> { [""] = 0 };
        foreach (var access in trace.Accesses)
        {
            var next = new Dictionary<string, int>();
            foreach (var (kept, hits) in best)
            {
                var items = kept.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToHashSet();
                var now = hits + (items.Contains(access.Item) ? 1 : 0);
                Offer(items, now);
                items.Add(access.Item);
                if (items.Count <= capacity) Offer(items, now);
                else foreach (var gone in items.ToArray()) Offer(items.Where(i => i != gone), now);
            }

            best = next;

            void Offer(IEnumerable<int> items, int hits)
            {
                var state = string.Join(',', items.Order());
                if (!next.TryGetValue(state, out var other) || other < hits) next[state] = hits;
            }
        }

        return best.Values.Max();
    }
}
