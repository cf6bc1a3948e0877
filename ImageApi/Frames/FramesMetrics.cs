using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ImageApi.Frames;

/// <summary>What decoding and encoding cost. Tags: <c>platform.codec</c> the transfer syntax' codec or the encoder's recipe, <c>platform.codec.operation</c> decode, encode, verify.</summary>
internal sealed class FramesMetrics
{
    public const string MeterName = "Platform.ImageApi.Frames";

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _unfaithful;

    public FramesMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _duration = meter.CreateHistogram<double>("platform.codec.duration", "s", "How long one frame took.");
        _unfaithful = meter.CreateCounter<long>("platform.codec.unfaithful", "{frame}", "Encoded frames that did not decode to their source; never served.");
    }

    public void Worked(string codec, string operation, TimeSpan elapsed) =>
        _duration.Record(elapsed.TotalSeconds, new TagList { { "platform.codec", codec }, { "platform.codec.operation", operation } });

    public void Unfaithful(string codec) => _unfaithful.Add(1, new KeyValuePair<string, object?>("platform.codec", codec));
}
