using Platform.Onnx;

namespace InferenceApi.Batching;

/// <summary>One prediction that waits or runs. Its state changes under the lock of its queue.</summary>
internal sealed class Prediction(Tensor[] inputs, Tensor?[] outputs, int samples, string caller, long enqueued)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Tensor[] Inputs => inputs;

    public Tensor?[] Outputs => outputs;

    /// <summary>How many samples it has: the first dimension where the model can be batched, else 1.</summary>
    public int Samples => samples;

    public long InputBytes { get; } = inputs.Sum(static input => (long)input.Bytes.Length);

    /// <summary>Who asks; predictions of different callers take turns.</summary>
    public string Caller => caller;

    /// <summary>When it came, as a timestamp.</summary>
    public long Enqueued => enqueued;

    public LinkedListNode<Prediction>? Waiting { get; set; }

    /// <summary>Ends the run that it is part of; there while it runs.</summary>
    public CancellationTokenSource? Running { get; set; }

    /// <summary>True when the caller no longer wants it.</summary>
    public bool IsUnwanted { get; set; }

    public Task Done => _done.Task;

    public void Complete() => _done.TrySetResult();

    public void Fail(Exception exception) => _done.TrySetException(exception);

    public void Cancel(CancellationToken cancellationToken) => _done.TrySetCanceled(cancellationToken);

    /// <summary>True where both can be parts of one run: the same shapes but for the number of samples.</summary>
    public bool FitsWith(Prediction other)
    {
        for (var i = 0; i < inputs.Length; i++) if (!inputs[i].Shape[1..].SequenceEqual(other.Inputs[i].Shape[1..])) return false;
        return true;
    }
}
