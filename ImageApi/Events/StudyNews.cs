using ImageApi.Catalog;
using ImageApi.Origins;
using Microsoft.Extensions.Options;

namespace ImageApi.Events;

/// <summary>
/// Tells of studies that changed: what was stored, and what the indexer found in folders and listings. The first change is told at once; a study that goes on
/// changing once per <see cref="EventsOptions.StudyInterval"/>, with all that changed meanwhile.
/// </summary>
internal sealed class StudyNews(SqliteCatalog catalog, EventBoard board, SeriesThumbnails thumbnails, IOptions<EventsOptions> options, TimeProvider time) : BackgroundService
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private Dictionary<string, HashSet<string>> _pending = new(StringComparer.Ordinal);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        catalog.Changed += OnChanged;
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        catalog.Changed -= OnChanged;
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stoppingToken);
                foreach (var (study, series) in Take())
                {
                    board.Publish(new StudyEvent(study, [.. series.Order(StringComparer.Ordinal)], catalog.CountInstances(study, stoppingToken)));
                    foreach (var uid in series) thumbnails.Changed(new SeriesRef(study, uid));
                }
                await Task.Delay(options.Value.StudyInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>On the catalog's writer: takes note and returns.</summary>
    private void OnChanged(CatalogChanges changes)
    {
        lock (_gate)
        {
            foreach (var study in changes.Studies) SeriesOf(study);
            foreach (var series in changes.Series) SeriesOf(series.StudyUid).Add(series.SeriesUid);
            if (_pending.Count > 0 && _changed.CurrentCount == 0) _changed.Release();
        }
    }

    private HashSet<string> SeriesOf(string study)
    {
        if (!_pending.TryGetValue(study, out var series)) _pending[study] = series = new HashSet<string>(StringComparer.Ordinal);
        return series;
    }

    private Dictionary<string, HashSet<string>> Take()
    {
        lock (_gate)
        {
            var taken = _pending;
            _pending = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
            return taken;
        }
    }
}
