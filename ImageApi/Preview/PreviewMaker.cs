using System.Threading.Channels;
using ImageApi.Catalog;
using ImageApi.Events;
using ImageApi.Frames;
using ImageApi.Manifest;
using ImageApi.Origins;
using Microsoft.Extensions.Options;

namespace ImageApi.Preview;

/// <summary>
/// Makes previews before they are asked for: the progressive form of the frames of series that arrived in the store, one frame at a time, while nobody asks for
/// pixels. When all frames of a series have theirs, by it or by who asked, the manifest gets what is known of them, and listeners are told.
/// </summary>
internal sealed class PreviewMaker(SqliteCatalog local, ICatalog catalog, FrameService frames, SeriesFrames orders, ManifestService manifests, EventBoard board, CodecSlots slots, FrameActivity activity,
    IOptions<FramesOptions> options, TimeProvider time, ILogger<PreviewMaker> logger) : BackgroundService
{
    private const int MaxWaiting = 256;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250), Arriving = TimeSpan.FromSeconds(2);

    private readonly Channel<SeriesRef> _previewed = Channel.CreateBounded<SeriesRef>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly Lock _gate = new();
    private readonly Dictionary<SeriesRef, long> _arrived = [];

    /// <summary>Somebody was sent a whole preview: all of its frames have been made.</summary>
    public void Previewed(SeriesEntry series) => _previewed.Writer.TryWrite(new SeriesRef(series.StudyUid, series.SeriesUid));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.MakeAhead != MakeAhead.None) local.Changed += Arrived;
        try
        {
            await Task.WhenAll(CompleteAsync(stoppingToken), MakeAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            local.Changed -= Arrived;
        }
    }

    private void Arrived(CatalogChanges changes)
    {
        lock (_gate)
        {
            foreach (var series in changes.Series)
            {
                // What is too much to keep up with is made when somebody asks for it.
                if (_arrived.Count < MaxWaiting || _arrived.ContainsKey(series)) _arrived[series] = time.GetTimestamp();
            }
        }
    }

    private async Task CompleteAsync(CancellationToken stoppingToken)
    {
        await foreach (var series in _previewed.Reader.ReadAllAsync(stoppingToken)) await TryAsync(series, isAhead: false, stoppingToken);
    }

    private async Task MakeAsync(CancellationToken stoppingToken)
    {
        if (options.Value.MakeAhead == MakeAhead.None) return;
        using var timer = new PeriodicTimer(Tick, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            while (TryTake() is { } series) await TryAsync(series, isAhead: true, stoppingToken);
    }

    private SeriesRef? TryTake()
    {
        lock (_gate)
        {
            foreach (var (series, changedAt) in _arrived)
            {
                if (time.GetElapsedTime(changedAt) < Arriving) continue;
                _arrived.Remove(series);
                return series;
            }
        }
        return null;
    }

    private async Task TryAsync(SeriesRef which, bool isAhead, CancellationToken stoppingToken)
    {
        try
        {
            if (await catalog.FindSeriesAsync(which, stoppingToken) is not { } series) return;
            if (isAhead && !await MakeAsync(series, stoppingToken)) return;
            if (await manifests.TryCompleteAsync(series, stoppingToken)) board.Publish(new PreviewEvent(series.SeriesUid, series.Content.ToShortString()));
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
        {
            // What only saves time must not end the service; whoever asks for the series makes what is missing.
            logger.MakeAheadFailed(exception.GetType().Name);
        }
    }

    /// <summary>False where there is nothing to make, or too much.</summary>
    private async Task<bool> MakeAsync(SeriesEntry series, CancellationToken stoppingToken)
    {
        if (!series.Instances.All(static instance => instance.OriginName == IOrigins.StoreName)) return false;
        var bytes = series.Instances.Where(FrameForms.HasPreview).Sum(static instance => (long)instance.Rows * instance.Columns * instance.SamplesPerPixel * (instance.BitsAllocated / 8) * instance.FrameCount);
        if (bytes == 0 || bytes > options.Value.MakeAheadMaxBytes) return false;
        await WaitUntilIdleAsync(stoppingToken);
        var order = await orders.GetAsync(series, stoppingToken);
        foreach (var index in PreviewResponse.Outward(order.Frames.Count, order.Opening))
        {
            var frame = order.Frames[index];
            if (!FrameForms.HasPreview(frame.Instance)) continue;
            await WaitUntilIdleAsync(stoppingToken);
            await using var head = await frames.GetHeadAsync(frame.Instance, frame.FrameIndex, stoppingToken);
        }
        logger.MadeAhead(order.Frames.Count);
        return true;
    }

    private async ValueTask WaitUntilIdleAsync(CancellationToken stoppingToken)
    {
        while (!slots.IsIdle || activity.Quiet < options.Value.MakeAheadIdleTime) await Task.Delay(Tick, time, stoppingToken);
    }
}
