namespace Platform.TieredCache;

/// <summary>The Redis tier as the cache uses it: counted, written behind the answer, and never able to fail a flight.</summary>
internal sealed class RedisOuterTier(RedisTier redis, RedisTierOptions options, CacheCounters counters) : IOuterTier
{
    private readonly CancellationTokenSource _stopping = new();
    private int _pending;

    public CacheTier Tier => CacheTier.Redis;

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
    public ValueTask<bool> WaitForTurnAsync(Flight flight) => ValueTask.FromResult(false);

    /// <summary>Lets other nodes go, unless a write that was accepted does so when it is done.</summary>
    public void EndTurn(Flight flight) { }

    public void Offer(Flight flight, TimeSpan madeIn)
    {
        var (key, body) = (flight.Key, flight.Body);
        if (body.Header.Length > options.MaxValueBytes) return;
        if (Interlocked.Increment(ref _pending) > options.MaxPendingWrites || !body.TryAddReference())
        {
            Interlocked.Decrement(ref _pending);
            return;
        }

        _ = WriteAsync(key, body, madeIn);
    }

    public ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken) => what.Scope switch
    {
        InvalidationScope.Key => redis.RemoveAsync(what.Key, cancellationToken),
        InvalidationScope.Tag => redis.InvalidateAsync(what.Tag, cancellationToken),
        _ => ValueTask.CompletedTask,
    };

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await redis.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(CacheKey key, Body body, TimeSpan madeIn)
    {
        try
        {
            if (body.TryGetBytes(out var bytes))
                await redis.WriteAsync(key, body.Header, bytes, madeIn, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The contract says that it does not throw; a write behind the answer has nobody to tell in any case.
            counters.Add(CacheTier.Redis, key.Kind, CacheResult.Error);
        }
        finally
        {
            body.Release();
            Interlocked.Decrement(ref _pending);
        }
    }
}
