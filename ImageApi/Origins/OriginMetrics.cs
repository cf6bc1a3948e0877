using System.Diagnostics.Metrics;

namespace ImageApi.Origins;

/// <summary>What is asked of origins. Names of origins are few and configured, so they may be tags.</summary>
internal sealed class OriginMetrics
{
    public const string MeterName = "Platform.ImageApi.Origins";

    private readonly Counter<long> _requests;
    private readonly Counter<long> _bytes;

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

    public void Requested(string origin) => _requests.Add(1, TagOf(origin));

    public void Received(string origin, long bytes) => _bytes.Add(bytes, TagOf(origin));

    private static KeyValuePair<string, object?> TagOf(string origin) => new("platform.origin", origin);
}
