using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ImageApi.Origins;

/// <summary>What is asked of origins. Names of origins are few and configured, so they may be tags.</summary>
internal sealed class OriginMetrics
{
    public const string MeterName = "Platform.ImageApi.Origins";

    private readonly Counter<long> _requests;
    private readonly Counter<long> _bytes;
    private readonly ConcurrentDictionary<string, Counts> _counts = new(StringComparer.Ordinal);

    public OriginMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _requests = meter.CreateCounter<long>("platform.origin.requests", "{request}", "Reads of origins.");
        _bytes = meter.CreateCounter<long>("platform.origin.bytes", "By", "Bytes read from origins.");
    }

    public void FrameRead(string origin, long bytes)
    {
        Requested(origin);
        Received(origin, bytes);
    }

    public void Requested(string origin)
    {
        _requests.Add(1, TagOf(origin));
        Interlocked.Increment(ref CountsOf(origin).Requests);
    }

    public void Received(string origin, long bytes)
    {
        _bytes.Add(bytes, TagOf(origin));
        Interlocked.Add(ref CountsOf(origin).Bytes, bytes);
    }

    /// <summary>What was asked of an origin since the start, and the bytes that came.</summary>
    public (long Requests, long Bytes) Read(string origin) =>
        _counts.TryGetValue(origin, out var counts) ? (Interlocked.Read(ref counts.Requests), Interlocked.Read(ref counts.Bytes)) : default;

    private Counts CountsOf(string origin) => _counts.GetOrAdd(origin, static _ => new Counts());

    private static KeyValuePair<string, object?> TagOf(string origin) => new("platform.origin", origin);

    private sealed class Counts
    {
        public long Requests;
        public long Bytes;
    }
}
