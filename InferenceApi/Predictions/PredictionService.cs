using InferenceApi.Batching;
using InferenceApi.Sessions;
using Microsoft.Extensions.Options;
using Platform.Onnx;

namespace InferenceApi.Predictions;

/// <summary>Runs a model that is held on tensors: checked, in turn with others, within its time.</summary>
internal sealed class PredictionService(IOptions<PredictionsOptions> options, TimeProvider time)
{
    private long _bytes;

    /// <summary>Bytes of tensors and bodies that are held now.</summary>
    public long BytesInFlight => Interlocked.Read(ref _bytes);

    /// <summary>Reserves memory for a request before any of it is allocated; dispose gives it back.</summary>
    /// <exception cref="BusyException">All of it is in use.</exception>
    public Reservation Reserve(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) > options.Value.MaxBytesInFlight)
        {
            Interlocked.Add(ref _bytes, -bytes);
            throw new BusyException("All memory for predictions is in use.", TimeSpan.FromSeconds(1));
        }
        return new Reservation(this, bytes);
    }

    /// <summary>
    /// The outputs, in the model's order; the caller's to dispose. <paramref name="inputs"/> stay the caller's, and may be disposed when this has returned or
    /// thrown. <paramref name="caller"/> says who asks: callers take turns. <paramref name="within"/> shortens the time that it may take.
    /// </summary>
    /// <exception cref="InvalidTensorException">The model does not take the inputs.</exception>
    /// <exception cref="OnnxRunException">The model failed on them.</exception>
    /// <exception cref="BusyException">Too many wait.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<Tensor[]> PredictAsync(ModelSession model, Tensor[] inputs, string caller, TimeSpan? within, CancellationToken cancellationToken)
    {
        model.Session.Check(inputs);
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Count == 0) throw new InvalidTensorException($"Input '{model.Session.Inputs[i].Name}' is empty.");
            if (!options.Value.AllowNonFinite && NonFinite.IndexIn(inputs[i]) is var at and >= 0) throw new NonFiniteException($"Input '{model.Session.Inputs[i].Name}' has a value that is no finite number, at {at}.");
        }
        if (model.Queue.Plan.MaxBatch > 1 && !Array.TrueForAll(inputs, input => input.Shape[0] == inputs[0].Shape[0]))
            throw new InvalidTensorException("The inputs do not have the same number of samples.");
        var timeout = within is { } shorter && shorter < options.Value.Timeout ? shorter : options.Value.Timeout;
        using var deadline = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var outputs = new Tensor?[model.Session.Outputs.Length];
        try
        {
            await model.Queue.RunAsync(inputs, outputs, caller, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The prediction took longer than {timeout.TotalSeconds:0.###} s.");
        }
        return outputs!;
    }

    /// <summary>Memory that is counted until this is disposed, once.</summary>
    public sealed class Reservation(PredictionService service, long bytes) : IDisposable
    {
        private long _bytes = bytes;

        public void Dispose() => Interlocked.Add(ref service._bytes, -Interlocked.Exchange(ref _bytes, 0));
    }
}

/// <summary>An input holds NaN or an infinity.</summary>
internal sealed class NonFiniteException(string message) : Exception(message);
