using System.Diagnostics.Metrics;

namespace Platform.TieredCache;

/// <summary>
/// The instruments of meter <c>Platform.TieredCache</c>. Counts are read off <see cref="CacheCounters"/> when a reader
/// asks, so a hit costs the same with metrics on; only making a value records anything.
/// </summary>
internal sealed class CacheMetrics : IDisposable
{
    public const string MeterName = "Platform.TieredCache";
    public const string TierTag = "platform.cache.tier", ResultTag = "platform.cache.result", KindTag = "platform.cache.kind";

    private static readonly string[] TierNames = ["memory", "redis", "disk", "object", "origin"];
    private static readonly string[] ResultNames = ["hit", "miss", "coalesced", "bypass", "error"];
    private static readonly string[] KindNames = ["frame", "metadata", "thumbnail", "rendered", "tile", "file", "manifest", "frame_index", "model", "result"];

    private readonly CacheCounters _counters;
    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Histogram<double> _fetchDuration;

    public CacheMetrics(IMeterFactory? meters, CacheCounters counters)
    {
        _counters = counters;
        _ownsMeter = meters is null;
        _meter = meters?.Create(new MeterOptions(MeterName)) ?? new Meter(MeterName);
        _fetchDuration = _meter.CreateHistogram<double>("platform.cache.fetch.duration", "s", "Time to fetch or make a value after a miss, by where it came from.");
        _meter.CreateObservableCounter("platform.cache.requests", ObserveRequests, "{request}", "Requests to a tier, by how it answered.");
        _meter.CreateObservableUpDownCounter("platform.cache.size", () => Observe(s => s.Bytes), "By", "Bytes of the values that a tier holds, slack included.");
        _meter.CreateObservableUpDownCounter("platform.cache.entries", () => Observe(s => s.Entries), "{entry}", "Values that a tier holds.");
        _meter.CreateObservableCounter("platform.cache.evictions", () => Observe(s => s.Evictions), "{entry}", "Values that a tier let go for others.");
        _meter.CreateObservableCounter("platform.cache.expirations", () => Observe(s => s.Expirations), "{entry}", "Values that a tier let go because their time was over.");
        _meter.CreateObservableCounter("platform.cache.corruptions", () => Observe(s => s.Corruptions), "{entry}", "Values that a tier had damaged, found before they were served.");
    }

    public static string NameOf(CacheTier tier) => TierNames[(int)tier];

    public static string NameOf(CacheResult result) => ResultNames[(int)result];

    public static string NameOf(EntryKind kind) => KindNames[(int)kind];

    public void RecordFetch(CacheTier source, EntryKind kind, TimeSpan duration)
        => _fetchDuration.Record(duration.TotalSeconds, new(TierTag, NameOf(source)), new(KindTag, NameOf(kind)));

    public void Dispose()
    {
        if (_ownsMeter) _meter.Dispose();
    }

    private IEnumerable<Measurement<long>> ObserveRequests()
    {
        foreach (var row in _counters.ReadAll(default))
            for (var result = 0; result < CacheCounters.Results; result++)
                if (_counters.Read(row.Tier, row.Kind, (CacheResult)result) is > 0 and var count)
                    yield return new Measurement<long>(count, new(TierTag, NameOf(row.Tier)), new(ResultTag, ResultNames[result]), new(KindTag, NameOf(row.Kind)));
    }

    private IEnumerable<Measurement<long>> Observe(Func<TierStatistics, long> value)
    {
        foreach (var row in _counters.ReadAll(default))
            if (row.Tier != CacheTier.Origin)
                yield return new Measurement<long>(value(row), new(TierTag, NameOf(row.Tier)), new KeyValuePair<string, object?>(KindTag, NameOf(row.Kind)));
    }
}
