using System.Buffers;
using StackExchange.Redis;

namespace Platform.TieredCache;

/// <summary>
/// Values in Redis, shared between nodes. Each command has a deadline (StackExchange.Redis 1.x gives asynchronous calls
/// none), failures in a row open a circuit breaker, and connecting happens in the background: a dead or hung Redis
/// costs at most the deadline, a few times, and then nothing. Correctness does not depend on it: keys name contents,
/// and every value carries the digest that it must match.
/// </summary>
/// <remarks>
/// Removals leave a tombstone for a minute, and a value whose making took longer than half of that is not stored: so a
/// maker that began before an invalidation, on whatever node, cannot store after it, without comparing clocks.
/// A removal that could not be delivered is owed: until it was, this node reads nothing from Redis.
/// </remarks>
public sealed class RedisTier : IAsyncDisposable
{
    private static readonly TimeSpan TombstoneTtl = TimeSpan.FromSeconds(60);
    private const int MaxOwed = 1024;

    // KEYS: value, tombstone of the key, then per tag its tombstone and the set of its keys. ARGV: value, TTL in ms.
    private const string StoreScript =
        """
        if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
        for i = 3, #KEYS, 2 do if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        for i = 4, #KEYS, 2 do redis.call('SADD', KEYS[i], KEYS[1]) redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
        return 1
        """;

    // KEYS: tombstone, value. ARGV: tombstone's TTL in ms.
    private const string RemoveScript =
        """
        redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
        return redis.call('DEL', KEYS[2])
        """;

    // KEYS: tombstone, set of keys. ARGV: tombstone's TTL in ms.
    private const string InvalidateScript =
        """
        redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
        for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do redis.call('DEL', key) end
        return redis.call('DEL', KEYS[2])
        """;

    private readonly Func<IConnectionMultiplexer> _connect;
    private readonly RedisTierOptions _options;
    private readonly TimeProvider _time;
    private readonly CircuitBreaker _breaker;
    private readonly Lock _lock = new();
    private readonly HashSet<Owed> _owed = [];
    private readonly SemaphoreSlim _paying = new(1, 1);
    private Task<IConnectionMultiplexer>? _connecting;
    private long _connectFailedAt;
    private bool _connectFailed;
    private long _lostTrackAt;
    private bool _lostTrack;

    /// <summary>A tier over a connection that <paramref name="connect"/> gives; it may block and throw, and is called in the background.</summary>
    public RedisTier(Func<IConnectionMultiplexer> connect, RedisTierOptions? options = null, TimeProvider? time = null)
    {
        _connect = connect;
        _options = options ?? new RedisTierOptions();
        _time = time ?? TimeProvider.System;
        _breaker = new CircuitBreaker(_options.FailuresBeforeBreak, _options.BreakDuration, _time);
    }

    private readonly record struct Owed(bool IsTag, CacheTag Tag, CacheKey Key);

    /// <summary>Whether the tier is being left alone at the moment.</summary>
    public bool IsBroken => _breaker.IsOpen;

    /// <summary>Begins to connect, without waiting for it.</summary>
    public void Warm() => GetDatabase();

    /// <summary>
    /// Reads a value into <paramref name="to"/>. <see cref="CacheResult.Hit"/>: header and all bytes were written, and
    /// their digest was checked before the first of them. Anything else: nothing was written.
    /// </summary>
    public async ValueTask<RemoteRead> TryReadAsync(CacheKey key, EntryWriter to, CancellationToken cancellationToken)
    {
        if (await EnterAsync(cancellationToken).ConfigureAwait(false) is not { } database) return new RemoteRead(CacheResult.Bypass);
        var (reached, value) = await CallAsync(() => database.StringGetAsync(ValueKey(key)), cancellationToken).ConfigureAwait(false);
        if (!reached) return new RemoteRead(CacheResult.Error);
        if (value.IsNull) return new RemoteRead(CacheResult.Miss);
        if (!RemoteEntryFormat.TryRead(key, value!, out var header, out var bytes)) return new RemoteRead(CacheResult.Miss, IsCorrupt: true);
        to.Start(header!);
        to.Write(bytes.Span);
        return new RemoteRead(CacheResult.Hit);
    }

    /// <summary>
    /// Offers a complete value. Dropped where it is too large, the tier is unwell, or the value was removed or its tag
    /// invalidated since its making began, <paramref name="madeIn"/> ago.
    /// </summary>
    public async ValueTask<CacheResult> WriteAsync(CacheKey key, EntryHeader header, ReadOnlySequence<byte> bytes, TimeSpan madeIn, CancellationToken cancellationToken)
    {
        if (madeIn > TombstoneTtl / 2 || bytes.Length > _options.MaxValueBytes) return CacheResult.Bypass;
        if (await EnterAsync(cancellationToken).ConfigureAwait(false) is not { } database) return CacheResult.Bypass;
        var value = RemoteEntryFormat.Write(key, header, bytes);
        if (value.Length > _options.MaxValueBytes)
        {
            _breaker.Abandoned();
            return CacheResult.Bypass;
        }

        var keys = new RedisKey[2 + 2 * header.Tags.Length];
        keys[0] = ValueKey(key);
        keys[1] = Tombstone(key);
        for (var i = 0; i < header.Tags.Length; i++)
        {
            keys[2 + 2 * i] = Tombstone(header.Tags[i]);
            keys[3 + 2 * i] = TagSet(header.Tags[i]);
        }

        var ttl = (long)_options.Ttl.TotalMilliseconds;
        var (reached, result) = await CallAsync(() => database.ScriptEvaluateAsync(StoreScript, keys, [value, ttl]), cancellationToken).ConfigureAwait(false);
        return !reached ? CacheResult.Error : (int)result! == 1 ? CacheResult.Hit : CacheResult.Miss;
    }

    /// <summary>Forgets a value; while Redis cannot be reached the wish is remembered, and reads miss until it was done.</summary>
    public ValueTask RemoveAsync(CacheKey key, CancellationToken cancellationToken) => OweAsync(new Owed(false, default, key), cancellationToken);

    /// <summary>Forgets all values with the tag, with the same promise.</summary>
    public ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken) => OweAsync(new Owed(true, tag, default), cancellationToken);

    /// <summary>Does not close the connection, which belongs to whoever gave it.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask OweAsync(Owed owed, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_owed.Count < MaxOwed)
            {
                _owed.Add(owed);
            }
            else
            {
                // Too many to remember: what is in Redis now is not read again before it has expired.
                _lostTrack = true;
                _lostTrackAt = _time.GetTimestamp();
            }
        }

        if (await EnterAsync(cancellationToken).ConfigureAwait(false) is not null) _breaker.Abandoned();
    }

    /// <summary>The database, with nothing owed to it and the breaker entered; null when the tier is to be left alone.</summary>
    private async ValueTask<IDatabase?> EnterAsync(CancellationToken cancellationToken)
    {
        if (_lostTrack)
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_lostTrackAt) < _options.Ttl) return null;
                _lostTrack = false;
            }
        }

        if (GetDatabase() is not { } database || !_breaker.TryEnter()) return null;
        if (_owed.Count == 0) return database;
        if (await PayAsync(database, cancellationToken).ConfigureAwait(false)) return database;
        _breaker.Abandoned();
        return null;
    }

    private async ValueTask<bool> PayAsync(IDatabase database, CancellationToken cancellationToken)
    {
        // Who comes while another pays waits no longer than a command may take.
        if (!await _paying.WaitAsync(_options.Timeout, cancellationToken).ConfigureAwait(false)) return false;
        try
        {
            while (true)
            {
                Owed owed;
                lock (_lock)
                {
                    if (_owed.Count == 0) return true;
                    owed = _owed.First();
                }

                var (script, keys) = owed.IsTag
                    ? (InvalidateScript, new[] { Tombstone(owed.Tag), TagSet(owed.Tag) })
                    : (RemoveScript, [Tombstone(owed.Key), ValueKey(owed.Key)]);
                var ttl = (long)TombstoneTtl.TotalMilliseconds;
                var (reached, _) = await CallAsync(() => database.ScriptEvaluateAsync(script, keys, [ttl]), cancellationToken).ConfigureAwait(false);
                if (!reached) return false;
                lock (_lock) _owed.Remove(owed);
            }
        }
        finally
        {
            _paying.Release();
        }
    }

    private async ValueTask<(bool Reached, T? Result)> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            var result = await call().WaitAsync(_options.Timeout, _time, cancellationToken).ConfigureAwait(false);
            _breaker.Succeeded();
            return (true, result);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _breaker.Abandoned();
            throw;
        }
        catch (Exception)
        {
            // Timeout, no connection, a server that is loading, out of memory or read-only: all the same to us.
            _breaker.Failed();
            return (false, default);
        }
    }

    private IDatabase? GetDatabase()
    {
        var connecting = Volatile.Read(ref _connecting);
        if (connecting is null)
        {
            lock (_lock)
            {
                if (_connecting is null && (!_connectFailed || _time.GetElapsedTime(_connectFailedAt) >= _options.BreakDuration))
                    _connecting = ConnectAsync();
            }

            return null;
        }

        return connecting.IsCompletedSuccessfully ? connecting.GetAwaiter().GetResult().GetDatabase() : null;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        try
        {
            return await Task.Run(_connect).ConfigureAwait(false);
        }
        catch
        {
            lock (_lock)
            {
                _connectFailed = true;
                _connectFailedAt = _time.GetTimestamp();
                _connecting = null;
            }

            throw;
        }
    }

    private static RedisKey ValueKey(CacheKey key) => Prefixed("ptc1:v"u8, key);

    private static RedisKey Tombstone(CacheKey key) => Prefixed("ptc1:x"u8, key);

    private static RedisKey Prefixed(ReadOnlySpan<byte> prefix, CacheKey key)
    {
        var bytes = new byte[prefix.Length + CacheKey.Size];
        prefix.CopyTo(bytes);
        key.CopyTo(bytes.AsSpan(prefix.Length));
        return bytes;
    }

    private static RedisKey Tombstone(CacheTag tag) => Prefixed("ptc1:y"u8, tag);

    private static RedisKey TagSet(CacheTag tag) => Prefixed("ptc1:t"u8, tag);

    private static RedisKey Prefixed(ReadOnlySpan<byte> prefix, CacheTag tag)
    {
        var bytes = new byte[prefix.Length + CacheTag.Size];
        prefix.CopyTo(bytes);
        tag.CopyTo(bytes.AsSpan(prefix.Length));
        return bytes;
    }
}

/// <summary>How a read of Redis went.</summary>
/// <param name="Result">Hit, miss, bypass (the tier is unwell and was not asked) or error.</param>
/// <param name="IsCorrupt">A value was there and did not match its digest or key; it was not served.</param>
public readonly record struct RemoteRead(CacheResult Result, bool IsCorrupt = false);
