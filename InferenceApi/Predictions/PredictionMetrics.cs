using System.Diagnostics.Metrics;

namespace InferenceApi.Predictions;

/// <summary>How long predictions took, how long they waited for their turn, and how many shared a run; by model.</summary>
internal sealed class PredictionMetrics
{
    public const string MeterName = "Platform.InferenceApi";

    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _queueDuration;
    private readonly Histogram<int> _batchSize;

    public PredictionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _duration = meter.CreateHistogram<double>("platform.prediction.duration", "s", "From the queue's beginning to the outputs.");
        _queueDuration = meter.CreateHistogram<double>("platform.prediction.queue.duration", "s", "Waiting for a run.");
        _batchSize = meter.CreateHistogram<int>("platform.prediction.batch.size", "{prediction}", "Predictions in one run.");
    }

    public void Predicted(string model, TimeSpan duration) => _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("platform.model", model));

    public void Waited(string model, TimeSpan duration) => _queueDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("platform.model", model));

    public void Batched(string model, int predictions) => _batchSize.Record(predictions, new KeyValuePair<string, object?>("platform.model", model));
}
