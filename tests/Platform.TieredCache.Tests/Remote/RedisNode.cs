using Platform.Tests.Shared;
using StackExchange.Redis;
using static Platform.TieredCache.Tests.TestValues;

namespace Platform.TieredCache.Tests;

/// <summary>A cache of its own on the shared Redis, as another process would have it; and a look into that Redis.</summary>
internal sealed class RedisNode : IAsyncDisposable
{
    /// <summary>A busy machine may take longer than 50 ms for a healthy command: tests of what works are patient, others say so.</summary>
    public static RedisTierOptions Patient => new()
    {
        Timeout = TimeSpan.FromSeconds(2),
        BreakDuration = TimeSpan.FromMilliseconds(200),
        PollInterval = TimeSpan.FromMilliseconds(200),
    };

    private readonly ConnectionMultiplexer? _look;

    private RedisNode(string connectionString, RedisTierOptions options, ConnectionMultiplexer? look)
    {
        _look = look;
        Tier = new RedisTier(connectionString, options);
        Cache = new TieredCache(new TieredCacheOptions { Memory = { CapacityBytes = 16 << 20, PoisonReleasedMemory = true }, Redis = options }, Tier);
    }

    public RedisTier Tier { get; }

    public TieredCache Cache { get; }

    public IDatabase Database => _look!.GetDatabase();

    /// <summary>Starts one and waits until it follows the log.</summary>
    public static async Task<RedisNode> StartAsync(RedisServer redis, RedisTierOptions? options = null, int? port = null)
    {
        var connectionString = port is null ? redis.ConnectionString : redis.ConnectionString.Replace($":{redis.Port}", $":{port}");
        var node = new RedisNode(connectionString, options ?? Patient, await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + ",abortConnect=false,allowAdmin=true"));
        await node.WaitUntilReadyAsync();
        return node;
    }

    public Task WaitUntilReadyAsync() => SingleFlightTests.EventuallyAsync(() => Tier.IsReachable && Tier.Mark is not null);

    public async Task<CacheOutcome> MakeAsync(CacheKey key, int length, EntryPolicy? policy = null, params CacheTag[] tags)
    {
        await using var lease = await Cache.GetOrCreateAsync(key, length, policy ?? EntryPolicy.SharedDocument, Maker(key, true, tags), default);
        await lease.WaitUntilCompleteAsync(default);
        if (!lease.TryGetBytes(out var bytes) || !Matches(key, bytes)) throw new InvalidOperationException("Wrong bytes.");
        return lease.Outcome;
    }

    public bool HasInMemory(CacheKey key)
    {
        if (!Cache.Memory.TryGet(key, out var body)) return false;
        body.Release();
        return true;
    }

    public Task WaitUntilStoredAsync(CacheKey key) => WaitUntilAsync(database => database.HashExists(RedisTier.ValueKey(key), "h"));

    /// <summary>Waits until Redis shows it; the look into it may still be reconnecting.</summary>
    public Task WaitUntilAsync(Func<IDatabase, bool> condition) => SingleFlightTests.EventuallyAsync(() =>
    {
        try
        {
            return condition(Database);
        }
        catch (RedisConnectionException)
        {
            return false;
        }
    });

    public async Task<int> CountValuesAsync() => (int)await Database.ScriptEvaluateAsync("return #redis.call('KEYS', 'ptc2:v*')");

    public async ValueTask DisposeAsync()
    {
        await Cache.DisposeAsync();
        _look?.Dispose();
    }
}
