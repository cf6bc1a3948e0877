using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>The Redis tier as the cache uses it: counted, written behind the answer, and never able to fail a flight.</summary>
internal sealed class RedisOuterTier(RedisTier redis, RedisTierOptions options, CacheCounters counters, TimeProvider time) : IOuterTier
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(4), LongestWait = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _stopping = new();
    private int _pending;

    public CacheTier Tier => CacheTier.Redis;

    /// <summary>To be taken before anything is read for a flight.</summary>
    public LogMark? Mark => redis.Mark;

    public void Start(ILogListener listener, LogMark? from) => redis.Start(listener, from);

    public bool Holds(EntryPolicy policy) => policy.Remote;

    public async ValueTask<bool> TryReadAsync(CacheKey key, BodyWriter to, CancellationToken cancellationToken)
    {
        var read = await redis.TryReadAsync(key, to, cancellationToken).ConfigureAwait(false);
        if (read.IsCorrupt) counters.AddCorruption(CacheTier.Redis, key.Kind);
        if (read.Result == CacheResult.Hit) counters.AddHit(CacheTier.Redis, key.Kind, to.WrittenBytes);
        else counters.Add(CacheTier.Redis, key.Kind, read.Result);
        return read.Result == CacheResult.Hit;
    }

    /// <summary>
    /// Waits until this node may make the value: at once, unless another is making it. True: that one's value was read
    /// into the flight's writer. Ends early, with false, whenever waiting is of no use.
    /// </summary>
    public async ValueTask<bool> WaitForTurnAsync(Flight flight)
    {
        var token = RandomNumberGenerator.GetBytes(16);
        var began = time.GetTimestamp();
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            flight.Writer.Source = CacheTier.Redis;
            switch (await redis.TryTakeTurnAsync(flight.Key, token, flight.Writer, flight.Token).ConfigureAwait(false))
            {
                case Turn.ValueRead:
                    counters.AddHit(CacheTier.Redis, flight.Key.Kind, flight.Writer.WrittenBytes);
                    return true;
                case Turn.Taken:
                    flight.Turn = new RedisTurn(redis, options, flight, token, time);
                    return false;
                case Turn.NotNeeded:
                case Turn.OfAnother when time.GetElapsedTime(began) > options.TurnPatience:
                    return false;
            }

            await Task.Delay(wait, time, flight.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Lets other nodes go, unless a write that was accepted does so when it is done.</summary>
    public void EndTurn(Flight flight) => Interlocked.Exchange(ref flight.Turn, null)?.End(wasStored: false);

    public void Offer(Flight flight, TimeSpan madeIn)
    {
        if (flight.Body.Header.Length > options.MaxValueBytes) return;
        if (Interlocked.Increment(ref _pending) > options.MaxPendingWrites || !flight.Body.TryAddReference())
        {
            Interlocked.Decrement(ref _pending);
            return;
        }

        _ = WriteAsync(flight, Interlocked.Exchange(ref flight.Turn, null));
    }

    public ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken) => redis.InvalidateAsync(what, cancellationToken);

    /// <summary>Empties Redis of values, and nothing else.</summary>
    public ValueTask<(long Values, long Bytes)> ClearAsync(CancellationToken cancellationToken) => redis.ClearAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await redis.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(Flight flight, RedisTurn? turn)
    {
        var (kind, body) = (flight.Key.Kind, flight.Body);
        var wasStored = false;
        try
        {
            if (body.TryGetBytes(out var bytes))
                wasStored = await redis.WriteAsync(flight.Key, body.Header, bytes, flight.RedisMark, _stopping.Token).ConfigureAwait(false) == CacheResult.Hit;
        }
        catch (Exception)
        {
            // Disposed, or a bug: a write behind the answer has nobody to tell.
            counters.Add(CacheTier.Redis, kind, CacheResult.Error);
        }
        finally
        {
            turn?.End(wasStored);
            body.Release();
            Interlocked.Decrement(ref _pending);
        }
    }
}
