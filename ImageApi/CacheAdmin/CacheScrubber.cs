using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

internal enum CacheScrubState { Idle, Running, Done, Failed, Cancelled }

/// <summary>The scrub under way, or the last one since the start: <c>/api/cache/scrub</c>.</summary>
internal sealed record CacheScrub(CacheScrubState State)
{
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public long CheckedEntries { get; init; }
    public long TotalEntries { get; init; }
    public long CheckedBytes { get; init; }
    public long TotalBytes { get; init; }

    /// <summary>Values that were not what was written; they were taken out, and are fetched again when asked for.</summary>
    public long Corruptions { get; init; }
}

/// <summary>Runs one scrub at a time, behind the answers.</summary>
internal sealed class CacheScrubber(ICacheAdministration cache, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<CacheScrubber> logger) : IProgress<CacheScrubProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _running;
    private CacheScrub _state = new(CacheScrubState.Idle);

    public CacheScrub State
    {
        get { lock (_gate) return _state; }
    }

    /// <summary>Begins a scrub unless one is under way; gives the state of the one that is.</summary>
    public CacheScrub Start()
    {
        lock (_gate)
        {
            if (_state.State == CacheScrubState.Running) return _state;
            _state = new CacheScrub(CacheScrubState.Running) { StartedAt = time.GetUtcNow() };
            _running?.Dispose();
            _running = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
            _ = RunAsync(_running.Token);
            return _state;
        }
    }

    public void Cancel()
    {
        lock (_gate)
        {
            if (_state.State == CacheScrubState.Running) _running!.Cancel();
        }
    }

    void IProgress<CacheScrubProgress>.Report(CacheScrubProgress value)
    {
        lock (_gate)
        {
            if (_state.State != CacheScrubState.Running) return;
            _state = _state with
            {
                CheckedEntries = value.EntriesDone,
                TotalEntries = value.EntriesTotal,
                CheckedBytes = value.BytesDone,
                TotalBytes = value.BytesTotal,
                Corruptions = value.Damaged,
            };
        }
    }

    public void Dispose() => _running?.Dispose();

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        // The caller holds the gate: nothing of the work is to run under it.
        await Task.Yield();
        try
        {
            var report = await cache.ScrubAsync(this, cancellationToken);
            End(CacheScrubState.Done, state => state with
            {
                CheckedEntries = report.Entries,
                TotalEntries = report.Entries,
                CheckedBytes = report.Bytes,
                TotalBytes = report.Bytes,
                Corruptions = report.Damaged,
            });
            logger.Scrubbed(report.Entries, report.Bytes, report.Damaged, report.Took.TotalSeconds);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            End(CacheScrubState.Cancelled, static state => state);
        }
        catch (Exception exception)
        {
            logger.ScrubFailed(exception);
            End(CacheScrubState.Failed, static state => state);
        }
    }

    private void End(CacheScrubState status, Func<CacheScrub, CacheScrub> finish)
    {
        lock (_gate) _state = finish(_state) with { State = status, EndedAt = time.GetUtcNow() };
    }
}
