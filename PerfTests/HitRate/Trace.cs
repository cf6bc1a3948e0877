namespace PerfTests.HitRate;

/// <summary>One request: for which item, and how large that is. Items are numbered from 0; an item never changes its size.</summary>
internal readonly record struct Access(int Item, int Bytes);

/// <summary>Requests in order.</summary>
/// <param name="Name">The scenario.</param>
/// <param name="MemoryBytes">The memory tier that it is played against.</param>
/// <param name="Accesses">The requests.</param>
internal sealed record Trace(string Name, long MemoryBytes, Access[] Accesses)
{
    public long Bytes { get; } = Accesses.Sum(a => (long)a.Bytes);

    /// <summary>Bytes of the different items: what must come from the origin at least once.</summary>
    public long UniqueBytes { get; } = Accesses.DistinctBy(a => a.Item).Sum(a => (long)a.Bytes);

    /// <summary>For each request the index of the next one for the same item; <see cref="int.MaxValue"/> where none comes.</summary>
    public int[] NextUses()
    {
        var next = new int[Accesses.Length];
        var seen = new Dictionary<int, int>();
        for (var i = Accesses.Length - 1; i >= 0; i--)
        {
            next[i] = seen.GetValueOrDefault(Accesses[i].Item, int.MaxValue);
            seen[Accesses[i].Item] = i;
        }

        return next;
    }
}
