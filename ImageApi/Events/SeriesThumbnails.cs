using System.Buffers;
using ImageApi.Catalog;
using ImageApi.Origins;
using ImageApi.Rendered;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.Imaging;

namespace ImageApi.Events;

/// <summary>
/// Makes the small thumbnails of series that arrived, and tells them to those who listen. Works while somebody listens and for series on this machine only, one
/// at a time, and rests three times as long as it worked: people's requests have the processors. What is too much to keep up with is left out;
/// a thumbnail can always be asked for.
/// </summary>
internal sealed class SeriesThumbnails(ICatalog catalog, IOrigins origins, RenderedService pictures, EventBoard board, IOptions<EventsOptions> options, TimeProvider time, ILogger<SeriesThumbnails> logger)
    : BackgroundService
{
    private const int MaxWaiting = 256, Side = 64, MaxUrlLength = 4095, RestFactor = 3;
    private const string UrlPrefix = "data:image/jpeg;base64,";
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250), MaxRest = TimeSpan.FromSeconds(2);

    // 64 x 64 has 2 KB at the first quality; what is all noise takes the last.
    private static readonly int[] Qualities = [75, 45, 15];

    private readonly Lock _gate = new();
    private readonly Dictionary<SeriesRef, long> _waiting = [];

    /// <summary>Instances of a series arrived or went: when it has been quiet for a while, its thumbnail is made.</summary>
    public void Changed(SeriesRef series)
    {
        if (board.Listeners == 0) return;
        lock (_gate)
        {
            if (_waiting.Count < MaxWaiting || _waiting.ContainsKey(series))
                _waiting[series] = time.GetTimestamp() + (long)(options.Value.ThumbnailQuiet.TotalSeconds * time.TimestampFrequency);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Min(Tick, options.Value.ThumbnailQuiet), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                while (TryTake() is { } series)
                {
                    var started = time.GetTimestamp();
                    await TellAsync(series, stoppingToken);
                    await Task.Delay(Min(MaxRest, RestFactor * time.GetElapsedTime(started)), time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private SeriesRef? TryTake()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            foreach (var (series, due) in _waiting)
            {
                if (due > now) continue;
                _waiting.Remove(series);
                return series;
            }
        }
        return null;
    }

    private async Task TellAsync(SeriesRef series, CancellationToken cancellationToken)
    {
        try
        {
            if (board.Listeners == 0 || await catalog.FindSeriesAsync(series, cancellationToken) is not { } entry || RenderedApi.RepresentativeOf(entry) is not { } middle) return;
            if (!origins.TryGet<IOrigin>(middle.Instance.OriginName, out var origin) || !origin.Traits.HasFlag(OriginTraits.Local) || !FramePixels.CanDecode(middle.Instance)) return;
            foreach (var quality in Qualities)
            {
                var form = new RenderedForm { IsThumbnail = true, Format = PictureFormat.Jpeg, Quality = quality, Viewport = (Side, Side) };
                await using var lease = await pictures.GetAsync(middle.Instance, middle.FrameIndex, form, cancellationToken);
                if (!lease.TryGetBytes(out var bytes) || UrlPrefix.Length + (bytes.Length + 2) / 3 * 4 > MaxUrlLength) continue;
                board.Publish(new ThumbnailEvent(series.SeriesUid, entry.Content.ToShortString(), UrlPrefix + Convert.ToBase64String(bytes.ToArray())));
                return;
            }
        }
        catch (Exception exception) when (exception is InvalidFrameException or OriginException or IOException)
        {
            logger.ThumbnailFailed(exception.GetType().Name);   // nobody asked for it
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.ThumbnailBroke(exception);
        }
    }
}
