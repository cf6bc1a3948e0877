namespace Platform.TieredCache;

/// <summary>
/// This node's turn to make a value that others wait for: kept alive while the maker works, given up early when the value turns
/// out too large to be shared. A node that dies loses it with its lease.
/// </summary>
internal sealed class RedisTurn
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly RedisTier _redis;
    private readonly RedisTierOptions _options;
    private readonly Flight _flight;
    private readonly byte[] _token;
    private readonly ITimer _timer;
    private readonly TimeProvider _time;
    private long _renewedAt;
    private int _ended;

    public RedisTurn(RedisTier redis, RedisTierOptions options, Flight flight, byte[] token, TimeProvider time)
    {
        (_redis, _options, _flight, _token, _time) = (redis, options, flight, token, time);
        _renewedAt = time.GetTimestamp();
        _timer = time.CreateTimer(static turn => ((RedisTurn)turn!).Look(), this, Tick, Tick);
    }

    /// <summary>Gives it back; only the first call counts.</summary>
    public void End(bool wasStored)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        _timer.Dispose();
        _ = EndAsync(wasStored);
    }

    private void Look()
    {
        if (Volatile.Read(ref _ended) != 0) return;
        if (_flight.Body.HeaderOrNull?.Length > _options.MaxValueBytes || _flight.Body.PublishedBytes > _options.MaxValueBytes)
        {
            End(wasStored: false);
            return;
        }

        // Ticks do not overlap enough to matter: renewing twice does no harm.
        if (_time.GetElapsedTime(_renewedAt) < _options.TurnLease / 4) return;
        _renewedAt = _time.GetTimestamp();
        _ = RenewAsync();
    }

    // Lost, or Redis is away: then others make the value too, and nothing is to be done about it.
    private async Task RenewAsync() => await _redis.RenewTurnAsync(_flight.Key, _token, CancellationToken.None).ConfigureAwait(false);

    private async Task EndAsync(bool wasStored) => await _redis.EndTurnAsync(_flight.Key, _token, wasStored, CancellationToken.None).ConfigureAwait(false);
}
