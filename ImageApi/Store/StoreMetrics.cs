using System.Diagnostics.Metrics;

namespace ImageApi.Store;

/// <summary>What arrives and what becomes of it.</summary>
internal sealed class StoreMetrics
{
    public const string MeterName = "Platform.ImageApi.Store";

    private readonly Counter<long> _instances;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _commit;
    private readonly Histogram<long> _group;

    public StoreMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _instances = meter.CreateCounter<long>("platform.store.instances", "{instance}", "Instances of requests, by what became of them.");
        _bytes = meter.CreateCounter<long>("platform.store.bytes", "By", "Bytes of instances that arrived.");
        _commit = meter.CreateHistogram<double>("platform.store.commit.duration", "s", "Making a group of instances durable.");
        _group = meter.CreateHistogram<long>("platform.store.commit.size", "{instance}", "Instances made durable together.");
    }

    public void Arrived(StoreOutcome outcome, long bytes)
    {
        _instances.Add(1, new KeyValuePair<string, object?>("platform.store.result", outcome.WasStored ? "known" : outcome.IsStored ? "stored" : "refused"));
        _bytes.Add(bytes);
    }

    public void Committed(int instances, TimeSpan elapsed)
    {
        _group.Record(instances);
        _commit.Record(elapsed.TotalSeconds);
    }
}
