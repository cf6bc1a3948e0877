using System.Diagnostics.Metrics;
using Platform.TieredCache;

namespace ImageApi.Prefetch;

/// <summary>What was fetched ahead, and what became of it: asked for later, or not. Bounded; safe for concurrent use.</summary>
internal sealed class PrefetchLedger
{
    public const string MeterName = "Platform.ImageApi.Prefetch";
    public const string OutcomeTag = "platform.prefetch.outcome";

    private const int MaxEntries = 65_536;

    private readonly Lock _lock = new();
    private readonly Dictionary<CacheKey, Entry> _entries = [];
    private readonly Queue<(CacheKey Key, long At)> _order = new();
    private readonly TimeProvider _time;
    private readonly Counter<long> _frames;
    private readonly Counter<long> _bytes;
    private long _started, _completed, _used, _usedBytes, _wasted, _wastedBytes, _unasked;

    public PrefetchLedger(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(MeterName);
        _frames = meter.CreateCounter<long>("platform.prefetch.frames", "{frame}", "Frames fetched ahead, by what became of them.");
        _bytes = meter.CreateCounter<long>("platform.prefetch.bytes", "By", "Bytes of frames fetched ahead, by what became of them.");
    }

    /// <summary>Bytes that are here, or on their way, and that nobody has asked for.</summary>
    public long UnaskedBytes
    {
        get { lock (_lock) return _unasked; }
    }

    public PrefetchCounts Counts
    {
        get { lock (_lock) return new PrefetchCounts(_started, _completed, _used, _usedBytes, _wasted, _wastedBytes, _unasked); }
    }

    /// <summary>A frame is being fetched, of about so many bytes.</summary>
    public void Begin(CacheKey key, long bytes)
    {
        lock (_lock)
        {
            _started++;
            while (_entries.Count >= MaxEntries && _order.TryDequeue(out var oldest)) Waste(oldest.Key);
            if (!_entries.TryAdd(key, new Entry(bytes, IsComplete: false))) return;
            _unasked += bytes;
        }
    }

    /// <summary>It has come.</summary>
    public void Complete(CacheKey key, long bytes)
    {
        lock (_lock)
        {
            _completed++;
            if (!_entries.TryGetValue(key, out var entry)) return;   // asked for while it came
            _unasked += bytes - entry.Bytes;
            _entries[key] = new Entry(bytes, IsComplete: true);
            _order.Enqueue((key, _time.GetTimestamp()));
        }
    }

    /// <summary>It did not come, or a tier had it already: nothing was fetched.</summary>
    public void Drop(CacheKey key, string outcome)
    {
        lock (_lock)
        {
            if (_entries.Remove(key, out var entry)) _unasked -= entry.Bytes;
        }
        _frames.Add(1, new KeyValuePair<string, object?>(OutcomeTag, outcome));
    }

    /// <summary>Somebody asks for a frame.</summary>
    public void Asked(CacheKey key)
    {
        long bytes;
        lock (_lock)
        {
            if (!_entries.Remove(key, out var entry)) return;
            bytes = entry.Bytes;
            _used++;
            _usedBytes += bytes;
            _unasked -= bytes;
        }
        Count(bytes, "used");
    }

    /// <summary>Gives up what nobody has asked for within that time.</summary>
    public void Expire(TimeSpan age)
    {
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.At) > age)
            {
                _order.Dequeue();
                Waste(oldest.Key);
            }
        }
    }

    private void Waste(CacheKey key)
    {
        if (!_entries.TryGetValue(key, out var entry) || !entry.IsComplete) return;
        _entries.Remove(key);
        _wasted++;
        _wastedBytes += entry.Bytes;
        _unasked -= entry.Bytes;
        Count(entry.Bytes, "wasted");
    }

    private void Count(long bytes, string outcome)
    {
        var tag = new KeyValuePair<string, object?>(OutcomeTag, outcome);
        _frames.Add(1, tag);
        _bytes.Add(bytes, tag);
    }

    private readonly record struct Entry(long Bytes, bool IsComplete);
}

/// <summary>Counts since the start. Started: all that was begun; completed: what came; then each is used, wasted, or not settled yet.</summary>
internal readonly record struct PrefetchCounts(long Started, long Completed, long Used, long UsedBytes, long Wasted, long WastedBytes, long UnaskedBytes);
