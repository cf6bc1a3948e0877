using System.Diagnostics.Metrics;

namespace ImageApi.Catalog;

/// <summary>What the catalog takes in, by origin and result.</summary>
internal sealed class CatalogMetrics
{
    public const string MeterName = "Platform.ImageApi.Catalog";

    private readonly Counter<long> _files;
    private readonly Histogram<double> _reconcile;

    public CatalogMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _files = meter.CreateCounter<long>("platform.catalog.files", "{file}", "Files taken in.");
        _reconcile = meter.CreateHistogram<double>("platform.catalog.reconcile.duration", "s", "Comparing an origin with the catalog.");
    }

    public void Indexed(string origin, IndexResult result) => _files.Add(1, new("platform.origin", origin), new("platform.catalog.result", result switch
    {
        IndexResult.Indexed => "indexed",
        IndexResult.Duplicate => "duplicate",
        IndexResult.Conflict => "conflict",
        _ => "unparsed",
    }));

    public void Reconciled(string origin, TimeSpan elapsed) => _reconcile.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("platform.origin", origin));
}
