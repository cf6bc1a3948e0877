using System.Numerics;
using System.Runtime.CompilerServices;

namespace Platform.TieredCache;

/// <summary>
/// The counts behind statistics and metrics. A hit adds to a stripe chosen by the processor it runs on, so that two
/// threads do not fight over a cache line, and neither tags nor listeners are touched: metrics are read off when asked for.
/// </summary>
internal sealed class CacheCounters
{
    public static readonly int Tiers = Enum.GetValues<CacheTier>().Length, Kinds = Enum.GetValues<EntryKind>().Length;
    public static readonly int Results = Enum.GetValues<CacheResult>().Length;

    private enum Cell { HitBytes, Entries, Bytes, Evictions, Corruptions, Expirations, MadeBytes, MadeAtSeconds, Count }

    private static readonly int Width = Results + (int)Cell.Count;
    private static readonly int StripeLength = (Tiers * Kinds * Width + 15) & ~7;   // padded by at least one cache line
    private static readonly int StripeMask = (int)Math.Min(16, BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount)) - 1;

    private readonly long[] _cells = new long[StripeLength * (StripeMask + 1)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddHit(CacheTier tier, EntryKind kind, long bytes)
    {
        var row = Row(tier, kind);
        Interlocked.Increment(ref _cells[row + (int)CacheResult.Hit]);
        Interlocked.Add(ref _cells[row + Results + (int)Cell.HitBytes], bytes);
    }

    public void Add(CacheTier tier, EntryKind kind, CacheResult result) => Interlocked.Increment(ref _cells[Row(tier, kind) + (int)result]);

    /// <summary>Counts a value in (1) or out (-1); the sum of when they were made gives their mean age.</summary>
    public void AddEntry(CacheTier tier, EntryKind kind, long bytes, int entries, DateTimeOffset madeAt)
    {
        var row = Row(tier, kind) + Results;
        Interlocked.Add(ref _cells[row + (int)Cell.MadeAtSeconds], entries * madeAt.ToUnixTimeSeconds());
        Interlocked.Add(ref _cells[row + (int)Cell.Entries], entries);
        Interlocked.Add(ref _cells[row + (int)Cell.Bytes], bytes);
    }

    public void AddEviction(CacheTier tier, EntryKind kind) => Interlocked.Increment(ref _cells[Row(tier, kind) + Results + (int)Cell.Evictions]);

    public void AddCorruption(CacheTier tier, EntryKind kind) => Interlocked.Increment(ref _cells[Row(tier, kind) + Results + (int)Cell.Corruptions]);

    public void AddExpiration(CacheTier tier, EntryKind kind) => Interlocked.Increment(ref _cells[Row(tier, kind) + Results + (int)Cell.Expirations]);

    /// <summary>Counts a value that its maker made.</summary>
    public void AddMade(EntryKind kind, long bytes)
    {
        var row = Row(CacheTier.Origin, kind);
        Interlocked.Increment(ref _cells[row + (int)CacheResult.Miss]);
        Interlocked.Add(ref _cells[row + Results + (int)Cell.MadeBytes], bytes);
    }

    public long Read(CacheTier tier, EntryKind kind, CacheResult result) => Sum(tier, kind, (int)result);

    private TierStatistics Read(CacheTier tier, EntryKind kind, DateTimeOffset now)
    {
        var misses = Read(tier, kind, CacheResult.Miss);
        var entries = Sum(Cell.Entries);
        return new TierStatistics(tier, kind, Read(tier, kind, CacheResult.Hit), Sum(Cell.HitBytes), misses,
            Read(tier, kind, CacheResult.Coalesced), Read(tier, kind, CacheResult.Bypass), Read(tier, kind, CacheResult.Error),
            entries, Sum(Cell.Bytes), Sum(Cell.Evictions), Sum(Cell.Corruptions), Sum(Cell.Expirations),
            tier == CacheTier.Origin ? misses : 0, Sum(Cell.MadeBytes),
            entries <= 0 ? 0 : Math.Max(0, now.ToUnixTimeSeconds() - (double)Sum(Cell.MadeAtSeconds) / entries));

        long Sum(Cell cell) => this.Sum(tier, kind, Results + (int)cell);
    }

    /// <summary>The rows that were ever used, with ages at <paramref name="now"/>.</summary>
    public IEnumerable<TierStatistics> ReadAll(DateTimeOffset now)
    {
        for (var tier = 0; tier < Tiers; tier++)
            for (var kind = 0; kind < Kinds; kind++)
                if (IsUsed((CacheTier)tier, (EntryKind)kind)) yield return Read((CacheTier)tier, (EntryKind)kind, now);
    }

    private bool IsUsed(CacheTier tier, EntryKind kind)
    {
        for (var cell = 0; cell < Width; cell++)
            for (var stripe = 0; stripe <= StripeMask; stripe++)
                if (_cells[stripe * StripeLength + ((int)tier * Kinds + (int)kind) * Width + cell] != 0) return true;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Row(CacheTier tier, EntryKind kind)
        => (Thread.GetCurrentProcessorId() & StripeMask) * StripeLength + ((int)tier * Kinds + (int)kind) * Width;

    private long Sum(CacheTier tier, EntryKind kind, int cell)
    {
        long sum = 0;
        var at = ((int)tier * Kinds + (int)kind) * Width + cell;
        for (var stripe = 0; stripe <= StripeMask; stripe++) sum += Volatile.Read(ref _cells[stripe * StripeLength + at]);
        return sum;
    }
}
