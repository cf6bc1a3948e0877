using System.Buffers;
using BenchmarkDotNet.Attributes;
using Platform.TieredCache;

namespace PerfTests.Micro;

/// <summary>
/// A hit in the memory tier: take the lease, look at the bytes, give it back. Against the floor: a bare look-up in a
/// concurrent dictionary that guards nothing. With metrics on means that a listener is attached, as in production.
/// </summary>
[MemoryDiagnoser]
public class CacheHitBenchmarks
{
    private const int Operations = 10_000;

    private readonly CacheKey[] _keys = new CacheKey[1024];
    private readonly System.Collections.Concurrent.ConcurrentDictionary<CacheKey, byte[]> _floor = new();
    private TieredCache _cache = null!;
    private System.Diagnostics.Metrics.MeterListener _listener = null!;

    [Params(1, 1024)]
    public int Keys { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _cache = new TieredCache(new TieredCacheOptions { Memory = { PoisonReleasedMemory = false } });
        _listener = new() { InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == "Platform.TieredCache") listener.EnableMeasurementEvents(instrument); } };
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) => { });
        _listener.Start();
        for (var i = 0; i < _keys.Length; i++)
        {
            _keys[i] = new CacheKey(ContentId.Of("bench", $"{i}", []), EntryKind.Frame, RecipeId.AsStored, 0);
            _floor[_keys[i]] = new byte[1];
            await using var lease = await _cache.GetOrCreateAsync(_keys[i], i, EntryPolicy.Relayed, MakeAsync, default);
            if (!lease.TryGetBytes(out var bytes) || bytes.FirstSpan[0] != (byte)i) throw new InvalidOperationException("Wrong bytes.");
        }
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        _listener.Dispose();
        await _cache.DisposeAsync();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Operations)]
    public int BareDictionary()
    {
        var sum = 0;
        for (var i = 0; i < Operations; i++)
            if (_floor.TryGetValue(_keys[i & (Keys - 1)], out var value)) sum += value.Length;
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Operations)]
    public long Hit() => HitMany(Operations, 0);

    [Benchmark(OperationsPerInvoke = 2 * Operations)]
    public async Task<long> HitOnTwoThreads()
    {
        var other = Task.Run(() => HitMany(Operations, 512));
        var mine = HitMany(Operations, 0);
        return mine + await other;
    }

    private long HitMany(int count, int offset)
    {
        long sum = 0;
        for (var i = 0; i < count; i++)
        {
            var task = _cache.GetOrCreateAsync(_keys[(i + offset) & (Keys - 1)], 0, EntryPolicy.Relayed, MakeAsync, default);
            if (!task.IsCompletedSuccessfully) throw new InvalidOperationException("Not a hit.");
            var lease = task.GetAwaiter().GetResult();
            lease.TryGetBytes(out var bytes);
            sum += bytes.Length;
            _ = lease.DisposeAsync();
        }

        return sum;
    }

    internal static Task MakeAsync(int state, EntryWriter writer, CancellationToken cancellationToken)
    {
        writer.Start(new EntryHeader("application/octet-stream") { Length = 1000 });
        var span = writer.GetSpan(1000)[..1000];
        span.Fill((byte)state);
        writer.Advance(1000);
        return Task.CompletedTask;
    }
}

/// <summary>A miss: make, keep, evict another. The size of a frame, and of a small document.</summary>
[MemoryDiagnoser]
public class CacheMissBenchmarks
{
    private readonly byte[] _value = new byte[512 << 10];
    private TieredCache _cache = null!;
    private int _next;

    [Params(1 << 10, 124 << 10, 512 << 10)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup() => _cache = new TieredCache(new TieredCacheOptions { Memory = { PoisonReleasedMemory = false } });

    [GlobalCleanup]
    public async Task CleanupAsync() => await _cache.DisposeAsync();

    /// <summary>What cannot be avoided: the copy.</summary>
    [Benchmark(Baseline = true)]
    public int CopyOnly()
    {
        _value.AsSpan(0, Bytes).CopyTo(_target);
        return _target[0];
    }

    [Benchmark]
    public async Task<long> MakeAndKeep()
    {
        var key = new CacheKey(ContentId.Of("bench", "miss", BitConverter.GetBytes(_next++)), EntryKind.Frame, RecipeId.AsStored, 0);
        await using var lease = await _cache.GetOrCreateAsync(key, this, EntryPolicy.Relayed, static (self, writer, _) =>
        {
            writer.Start(new EntryHeader("application/octet-stream") { Length = self.Bytes });
            writer.Write(self._value.AsSpan(0, self.Bytes));
            return Task.CompletedTask;
        }, default);
        return lease.AvailableBytes;
    }

    private readonly byte[] _target = new byte[512 << 10];
}
