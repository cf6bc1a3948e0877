namespace Platform.TieredCache;

/// <summary>A remote tier as the cache uses it: counted, written behind the answer, and never able to fail a flight.</summary>
internal sealed class RemoteOuterTier(IRemoteTier remote, RedisTierOptions options, CacheCounters counters) : IOuterTier
{
    private readonly CancellationTokenSource _stopping = new();
    private int _pending;

    public CacheTier Tier => CacheTier.Redis;

    public bool Holds(EntryPolicy policy) => policy.Remote;

    public async ValueTask<bool> TryReadAsync(CacheKey key, BodyWriter to, CancellationToken cancellationToken)
    {
        var read = await remote.TryReadAsync(key, to, cancellationToken).ConfigureAwait(false);
        if (read.IsCorrupt) counters.AddCorruption(CacheTier.Redis, key.Kind);
        if (read.Result == CacheResult.Hit) counters.AddHit(CacheTier.Redis, key.Kind, to.WrittenBytes);
        else counters.Add(CacheTier.Redis, key.Kind, read.Result);
        return read.Result == CacheResult.Hit;
    }

    public void Offer(CacheKey key, Body body, TimeSpan madeIn)
    {
        if (body.Header.Length > options.MaxValueBytes) return;
        if (Interlocked.Increment(ref _pending) > options.MaxPendingWrites || !body.TryAddReference())
        {
            Interlocked.Decrement(ref _pending);
            return;
        }

        _ = WriteAsync(key, body, madeIn);
    }

    public ValueTask RemoveAsync(CacheKey key, CancellationToken cancellationToken) => remote.RemoveAsync(key, cancellationToken);

    public ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken) => remote.InvalidateAsync(tag, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await remote.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(CacheKey key, Body body, TimeSpan madeIn)
    {
        try
        {
            if (body.TryGetBytes(out var bytes))
                await remote.WriteAsync(key, body.Header, bytes, madeIn, _stopping.Token).ConfigureAwait(false);
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
