using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>The counts at one moment, since the start: two samples tell what happened between them.</summary>
internal sealed record CacheSample(DateTimeOffset At, long Requests, long Memory, long Redis, long Disk, long Object, long Origin, long HitBytes, long DownloadedBytes);

/// <summary>The samples of the last half hour, oldest first.</summary>
internal sealed record CacheHistoryView(double IntervalSeconds, IReadOnlyList<CacheSample> Samples);

/// <summary>Notes the cache's counts every few seconds, so that whoever opens the page sees what happened before.</summary>
internal sealed class CacheHistory(ITieredCache cache, TimeProvider time) : BackgroundService
{
    private const int Kept = 361;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Queue<CacheSample> _samples = new(Kept);

    /// <summary>When counting began: with the service.</summary>
    public DateTimeOffset Since { get; } = time.GetUtcNow();

    /// <summary>The samples, and the counts as they are now behind them.</summary>
    public CacheHistoryView Read()
    {
        lock (_gate) return new CacheHistoryView(Interval.TotalSeconds, [.. _samples, Sample()]);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                lock (_gate)
                {
                    while (_samples.Count >= Kept) _samples.Dequeue();
                    _samples.Enqueue(Sample());
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private CacheSample Sample()
    {
        var statistics = cache.GetStatistics();
        long Hits(CacheTier tier) => statistics.Tiers.Where(row => row.Tier == tier).Sum(static row => row.Hits);
        return new CacheSample(time.GetUtcNow(), statistics.Requests, Hits(CacheTier.Memory), Hits(CacheTier.Redis), Hits(CacheTier.Disk), Hits(CacheTier.Object),
            statistics.Tiers.Where(static row => row.Tier == CacheTier.Origin).Sum(static row => row.Misses),
            statistics.Tiers.Sum(static row => row.HitBytes), statistics.Tiers.Sum(static row => row.DownloadedBytes));
    }
}
