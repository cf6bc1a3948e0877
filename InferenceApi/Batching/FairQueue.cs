namespace InferenceApi.Batching;

/// <summary>Predictions that wait: in order for each caller, callers taking turns. Not safe for several threads.</summary>
internal sealed class FairQueue(int capacity, int capacityPerCaller)
{
    private readonly Dictionary<string, LinkedList<Prediction>> _byCaller = new(StringComparer.Ordinal);
    private readonly LinkedList<LinkedList<Prediction>> _turns = [];

    public int Count { get; private set; }

    /// <summary>Samples of all that wait.</summary>
    public int Samples { get; private set; }

    /// <summary>False where the queue, or the caller's part of it, is full.</summary>
    public bool TryAdd(Prediction prediction)
    {
        if (Count >= capacity) return false;
        if (!_byCaller.TryGetValue(prediction.Caller, out var line))
        {
            line = [];
            _byCaller.Add(prediction.Caller, line);
            _turns.AddLast(line);
        }
        if (line.Count >= capacityPerCaller) return false;
        prediction.Waiting = line.AddLast(prediction);
        Count++;
        Samples += prediction.Samples;
        return true;
    }

    /// <summary>Takes one out of its place; false where it does not wait any more.</summary>
    public bool Remove(Prediction prediction)
    {
        if (prediction.Waiting is not { List: { } line } node) return false;
        line.Remove(node);
        prediction.Waiting = null;
        Count--;
        Samples -= prediction.Samples;
        if (line.Count == 0)
        {
            _byCaller.Remove(prediction.Caller);
            _turns.Remove(line);
        }
        return true;
    }

    /// <summary>Takes what runs next: the first of the caller whose turn it is, and firsts of others that fit with it, up to <paramref name="maxSamples"/> and as many bytes of inputs.</summary>
    public void Take(int maxSamples, long maxBytes, List<Prediction> batch)
    {
        if (Count == 0) return;
        var next = _turns.First!.Value.First!.Value;
        maxSamples = (int)Math.Min(maxSamples, maxBytes / Math.Max(1, next.InputBytes / next.Samples));
        var samples = 0;
        while (Next(maxSamples - samples, batch) is { } prediction)
        {
            Remove(prediction);
            if (_byCaller.TryGetValue(prediction.Caller, out var line))
            {
                _turns.Remove(line);
                _turns.AddLast(line); // its next one waits for everybody else's first
            }
            batch.Add(prediction);
            samples += prediction.Samples;
            if (samples >= maxSamples) return;
        }
    }

    private Prediction? Next(int room, List<Prediction> batch)
    {
        if (batch.Count == 0) return _turns.First?.Value.First!.Value;
        foreach (var line in _turns)
        {
            var first = line.First!.Value;
            if (first.Samples <= room && first.FitsWith(batch[0])) return first;
        }
        return null;
    }
}
