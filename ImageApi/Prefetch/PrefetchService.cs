using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.Origins;
using ImageApi.Origins.Outbound;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Prefetch;

/// <summary>
/// Fetches what will be asked for next. Requests tell it where people are (<see cref="Opened"/>, <see cref="Reading"/>); one loop owns the journeys and decides what to fetch,
/// within the budgets of <see cref="PrefetchOptions"/>. It begins a fetch only where the origin has room beside all requests of people, so that none of them
/// ever waits behind it, and drops what has become useless.
/// </summary>
internal sealed class PrefetchService : BackgroundService
{
    private const int MaxEvents = 4096, MaxJourneys = 64;
    private const long GuessedFrameBytes = 512 << 10;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly FrameService _frames;
    private readonly ICatalog _catalog;
    private readonly OriginSet _origins;
    private readonly OriginHealthBoard _health;
    private readonly ICacheAdministration _cache;
    private readonly PrefetchLedger _ledger;
    private readonly PrefetchOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<PrefetchService> _logger;
    private readonly bool _hasDisk;

    // What requests tell: a full queue drops the oldest, which is the one that says least of where people are now.
    private readonly Channel<Position> _positions = Channel.CreateBounded<Position>(new BoundedChannelOptions(MaxEvents) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ConcurrentDictionary<string, OriginLoad> _loads = new(StringComparer.Ordinal);

    // The loop's own.
    private readonly Dictionary<SeriesRef, Travel> _travels = [];
    private readonly ConcurrentDictionary<Task, byte> _fetches = new();
    private long _bytesInFlight;

    public PrefetchService(FrameService frames, ICatalog catalog, OriginSet origins, OriginHealthBoard health, ICacheAdministration cache, PrefetchLedger ledger,
        IOptions<PrefetchOptions> options, IOptions<TieredCacheOptions> tiers, TimeProvider time, ILogger<PrefetchService> logger)
    {
        (_frames, _catalog, _origins, _health, _cache, _ledger, _options, _time, _logger) = (frames, catalog, origins, health, cache, ledger, options.Value, time, logger);
        _hasDisk = !string.IsNullOrEmpty(tiers.Value.Disk.Path);
    }

    /// <summary>Fetches under way.</summary>
    public int InFlight => _fetches.Count;

    /// <summary>Somebody opened a series: its first picture will be asked for now.</summary>
    public void Opened(HttpContext context, SeriesEntry series)
    {
        if (!_options.Enabled || series.Instances.Count == 0 || IsLocal(series.Instances[0].OriginName)) return;
        // As the viewer does: a volume opens in its middle, anything else at its beginning.
        var first = series.Instances[series is { Geometry.IsRegular: true, Instances.Count: >= 3 } ? series.Instances.Count / 2 : 0];
        Tell(new Position(first.Ref, 0, ClientOf(context), HasFrame: false));
    }

    /// <summary>Somebody reads a frame until what this returns is disposed. Cheap for origins on this machine, which are not fetched from ahead.</summary>
    public FrameReading Reading(HttpContext context, InstanceEntry instance, int frameIndex)
    {
        if (!_options.Enabled || IsLocal(instance.OriginName)) return default;
        _ledger.Asked(FrameService.KeyOf(instance, frameIndex));
        Tell(new Position(instance.Ref, frameIndex, ClientOf(context), HasFrame: true));
        return new FrameReading(this, LoadOf(instance.OriginName));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _options.Enabled ? Task.Run(() => RunAsync(stoppingToken), CancellationToken.None) : Task.CompletedTask;

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                // Nobody there: wait until somebody comes.
                await _wake.WaitAsync(_travels.Count == 0 ? Timeout.InfiniteTimeSpan : Tick, stoppingToken);
                try
                {
                    while (_positions.Reader.TryRead(out var position)) await MoveAsync(position, stoppingToken);
                    Leave();
                    _ledger.Expire(_options.WasteTime);
                    while (TryBegin(stoppingToken)) { }
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    _logger.PrefetchFailed(exception);   // what only saves time must not end the service
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var travel in _travels.Values) travel.Stop();
            await Task.WhenAll(_fetches.Keys);
        }
    }

    private async ValueTask MoveAsync(Position position, CancellationToken cancellationToken)
    {
        var series = new SeriesRef(position.Instance.StudyUid, position.Instance.SeriesUid);
        var known = await _catalog.FindSeriesAsync(series, cancellationToken);
        if (known is null) return;
        if (!_travels.TryGetValue(series, out var travel) || travel.Journey.Series.Content != known.Content)
        {
            travel?.Stop();
            if (travel is null && _travels.Count >= MaxJourneys) Stop(_travels.MinBy(pair => pair.Value.LastAskedAt).Key);
            _travels[series] = travel = new Travel(new SeriesJourney(known, _options.Ahead), travel);
        }
        var now = _time.GetTimestamp();
        travel.LastAskedAt = now;
        travel.Clients[position.Client] = now;
        if (travel.Journey.PositionOf(position.Instance.SopUid, position.FrameIndex) is { } at) travel.Journey.MoveTo(at, position.HasFrame);
    }

    /// <summary>Stops what has become useless: series that nobody asks for, and those whose clients have all gone on to others.</summary>
    private void Leave()
    {
        foreach (var (series, travel) in _travels)
        {
            if (_time.GetElapsedTime(travel.LastAskedAt) > _options.IdleTime)
            {
                Stop(series);
                continue;
            }
            foreach (var (client, askedAt) in travel.Clients)
            {
                if (_time.GetElapsedTime(askedAt) > _options.SwitchTime && _travels.Values.Any(other => other != travel && other.Clients.TryGetValue(client, out var later) && later > askedAt))
                    travel.Clients.Remove(client);
            }
            if (travel.Clients.Count == 0) Stop(series);
        }
    }

    private void Stop(SeriesRef series)
    {
        if (_travels.Remove(series, out var travel)) travel.Stop();
    }

    /// <summary>Begins one more fetch, for who asked last; false when there is no room, or nothing to fetch.</summary>
    private bool TryBegin(CancellationToken stoppingToken)
    {
        if (_ledger.UnaskedBytes > UnaskedLimit()) return false;
        foreach (var travel in _travels.Values.OrderByDescending(travel => travel.LastAskedAt))
        {
            while (travel.Journey.Next() is var (instance, frameIndex, position))
            {
                if (IsLocal(instance.OriginName)) continue;
                var bytes = FrameService.NativeLength(instance) ?? GuessedFrameBytes;
                var inFlight = Interlocked.Read(ref _bytesInFlight);
                if ((inFlight > 0 && inFlight + bytes > _options.MaxBytesInFlight) || !TryEnter(instance.OriginName))
                {
                    travel.Journey.Return(position);
                    break;
                }
                Interlocked.Add(ref _bytesInFlight, bytes);
                _ledger.Begin(FrameService.KeyOf(instance, frameIndex), bytes);
                var fetch = FetchAsync(travel, instance, frameIndex, bytes, stoppingToken);
                _fetches.TryAdd(fetch, 0);
                _ = fetch.ContinueWith(done => _fetches.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                return true;
            }
        }
        return false;
    }

    private async Task FetchAsync(Travel travel, InstanceEntry instance, int frameIndex, long bytes, CancellationToken stoppingToken)
    {
        var key = FrameService.KeyOf(instance, frameIndex);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(travel.Ended, stoppingToken);
        await Task.Yield();
        try
        {
            await using var lease = await _frames.GetAsync(instance, frameIndex, end.Token);
            await lease.WaitUntilCompleteAsync(end.Token);   // else the work stops when the lease is given back
            if (lease.Outcome.IsHit || lease.Outcome.IsCoalesced) _ledger.Drop(key, "held");
            else _ledger.Complete(key, lease.Header.Length ?? bytes);
        }
        catch (OperationCanceledException)
        {
            _ledger.Drop(key, "cancelled");
        }
        catch (Exception exception)
        {
            _ledger.Drop(key, "failed");
            LoadOf(instance.OriginName).PausedSince = _time.GetTimestamp();
            _logger.PrefetchFailed(exception);
        }
        finally
        {
            Interlocked.Decrement(ref LoadOf(instance.OriginName).Ahead);
            Interlocked.Add(ref _bytesInFlight, -bytes);
            _wake.Release();
        }
    }

    /// <summary>Whether an origin has room for one more: people use all of it first.</summary>
    private bool TryEnter(string originName)
    {
        if (_origins.OptionsOf(originName) is not { } origin) return false;
        var load = LoadOf(originName);
        if (load.PausedSince is { } paused && _time.GetElapsedTime(paused) < _options.PauseAfterFailure) return false;
        if (_health.Find(originName)?.State is OriginState.Open or OriginState.Failing && load.PausedSince is not null) return false;
        var ahead = Volatile.Read(ref load.Ahead);
        if (ahead >= Math.Max(1, (int)(origin.MaxConcurrency * _options.OriginShare)) || Volatile.Read(ref load.People) + ahead >= origin.MaxConcurrency) return false;
        Interlocked.Increment(ref load.Ahead);
        return true;
    }

    private long UnaskedLimit()
    {
        var bounds = _cache.Bounds;
        return (long)(bounds.MemoryBytes * _options.MemoryShare) + (_hasDisk ? (long)(bounds.DiskBytes * _options.DiskShare) : 0);
    }

    private bool IsLocal(string originName) => !_origins.TryGet<IOrigin>(originName, out var origin) || origin.Traits.HasFlag(OriginTraits.Local);

    private OriginLoad LoadOf(string originName) => _loads.GetOrAdd(originName, static _ => new OriginLoad());

    private void Tell(Position position)
    {
        _positions.Writer.TryWrite(position);
        if (_wake.CurrentCount == 0) _wake.Release();
    }

    private void Left(OriginLoad load)
    {
        Interlocked.Decrement(ref load.People);
        if (_wake.CurrentCount == 0) _wake.Release();
    }

    /// <summary>Tells viewers apart, roughly: who proves who they are by that, others by address and program. Never kept, logged or shown.</summary>
    private static int ClientOf(HttpContext context)
    {
        var headers = context.Request.Headers;
        return headers.Authorization.Count > 0
            ? HashCode.Combine(headers.Authorization.ToString(), headers.UserAgent.ToString())
            : HashCode.Combine(context.Connection.RemoteIpAddress, headers.UserAgent.ToString());
    }

    /// <summary>A person's reading of a frame, until it is disposed.</summary>
    public readonly struct FrameReading : IDisposable
    {
        private readonly PrefetchService? _service;
        private readonly OriginLoad? _load;

        internal FrameReading(PrefetchService service, OriginLoad load)
        {
            (_service, _load) = (service, load);
            Interlocked.Increment(ref load.People);
        }

        public void Dispose() => _service?.Left(_load!);
    }

    /// <summary>Reads of one origin under way: people's, and ours ahead of them.</summary>
    internal sealed class OriginLoad
    {
        public int People;
        public int Ahead;
        public long? PausedSince { get; set; }
    }

    private readonly record struct Position(InstanceRef Instance, int FrameIndex, int Client, bool HasFrame);

    /// <summary>A series that somebody travels through.</summary>
    private sealed class Travel(SeriesJourney journey, Travel? before)
    {
        private readonly CancellationTokenSource _end = new();

        public SeriesJourney Journey => journey;

        /// <summary>When each client asked last.</summary>
        public Dictionary<int, long> Clients { get; } = before?.Clients ?? [];

        public long LastAskedAt { get; set; }

        public CancellationToken Ended => _end.Token;

        public void Stop() => _end.Cancel();
    }
}
