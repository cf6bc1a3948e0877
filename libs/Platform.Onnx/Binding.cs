using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;

namespace Platform.Onnx;

/// <summary>What one run needs of the runtime: which memory it reads and writes, and a way to end it early. Used by one run at a time, then again.</summary>
internal sealed class Binding(InferenceSession session, ImmutableArray<TensorInfo> inputs, ImmutableArray<TensorInfo> outputs) : IDisposable
{
    private readonly OrtIoBinding _binding = session.CreateIoBinding();
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private bool _anyUnbound;

    public void BindInputs(ReadOnlySpan<Tensor> tensors)
    {
        for (var i = 0; i < tensors.Length; i++) _binding.BindInput(inputs[i].Name, tensors[i].Value);
    }

    /// <summary>Binds an output to a tensor, or lets the runtime allocate it.</summary>
    public void BindOutput(int index, Tensor? tensor)
    {
        if (tensor is not null)
        {
            _binding.BindOutput(outputs[index].Name, tensor.Value);
            return;
        }
        _anyUnbound = true;
        _binding.BindOutputToDevice(outputs[index].Name, OrtMemoryInfo.DefaultInstance);
    }

    public void Run(CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, _options);
        try
        {
            session.RunWithBinding(_options, _binding);
        }
        finally
        {
            registration.Dispose(); // waits for a callback that is under way
            _options.Terminate = false;
        }
    }

    /// <summary>Copies what the runtime allocated into rented tensors.</summary>
    public void TakeOutputs(Span<Tensor?> tensors)
    {
        if (!_anyUnbound) return;
        using var values = _binding.GetOutputValues();
        for (var i = 0; i < tensors.Length; i++)
        {
            if (tensors[i] is not null) continue;
            if (!values[i].IsTensor) throw new OnnxRunException($"The output '{outputs[i].Name}' is no tensor.");
            var tensor = Tensor.Rent(outputs[i].Type, values[i].GetTensorTypeAndShape().Shape);
            tensors[i] = tensor;
            values[i].GetTensorMutableRawData().CopyTo(tensor.Bytes);
        }
    }

    public void Clear()
    {
        _binding.ClearBoundInputs();
        _binding.ClearBoundOutputs();
        _anyUnbound = false;
    }

    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
    }
}
