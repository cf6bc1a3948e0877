using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Platform.Onnx.Devices;

namespace Platform.Onnx;

/// <summary>
/// A model in memory, ready to run. Safe for several threads: each <see cref="Run"/> is its own. Disposing while a run is under way is safe; the model's
/// memory goes when the last run has ended.
/// </summary>
public sealed class OnnxSession : IDisposable
{
    /// <summary>More inputs or outputs, or dimensions of one, than any model has that is not made to harm.</summary>
    private const int MaxTensors = 256, MaxRank = 16;

    private readonly InferenceSession _session;
    private readonly Stack<Binding> _idle = new();
    private readonly bool[] _isPredictable;
    private bool _isDisposed;

    private OnnxSession(InferenceSession session, DeviceChoice device, int threads)
    {
        _session = session;
        Device = device;
        IntraOpThreads = threads;
        Inputs = Describe(session.InputNames, session.InputMetadata, "input");
        Outputs = Describe(session.OutputNames, session.OutputMetadata, "output");
        if (Outputs.Length is 0 or > MaxTensors || Inputs.Length > MaxTensors) throw new InvalidModelException($"The model has {Inputs.Length} inputs and {Outputs.Length} outputs: 1 to {MaxTensors} are taken.");
        if (Inputs.Concat(Outputs).FirstOrDefault(static info => info.Shape.Length > MaxRank) is { } deep) throw new InvalidModelException($"'{deep.Name}' has {deep.Shape.Length} dimensions, more than {MaxRank}.");
        _isPredictable = [.. Outputs.Select(static output => output.Shape.All(static dimension => dimension.Size is not null || dimension.Name is not null))];
    }

    /// <summary>What the model takes, in the order that <see cref="Run"/> wants it.</summary>
    public ImmutableArray<TensorInfo> Inputs { get; }

    /// <summary>What the model gives, in the order that <see cref="Run"/> gives it.</summary>
    public ImmutableArray<TensorInfo> Outputs { get; }

    /// <summary>What runs it, and what was tried before.</summary>
    public DeviceChoice Device { get; }

    /// <summary>Threads that one run uses.</summary>
    public int IntraOpThreads { get; }

    /// <summary>What the file says of itself.</summary>
    public IReadOnlyDictionary<string, string> Metadata => field ??= _session.ModelMetadata.CustomMetadataMap;

    /// <summary>Loads a model file (<c>.onnx</c>, with its external data beside it, or <c>.ort</c>). Takes as long as it takes and cannot be interrupted.</summary>
    /// <exception cref="OnnxUnavailableException">There is no runtime.</exception>
    /// <exception cref="DeviceRefusedException">The device was asked for by name and cannot be used.</exception>
    /// <exception cref="InvalidModelException">The file is no model that this runtime can run.</exception>
    public static OnnxSession Load(string path, OnnxSessionOptions? options = null) =>
        Load(options ?? new(), settings => new InferenceSession(path, settings));

    /// <summary>As <see cref="Load(string, OnnxSessionOptions?)"/>, from memory, which is free again when this returns.</summary>
    public static OnnxSession Load(byte[] model, OnnxSessionOptions? options = null) =>
        Load(options ?? new(), settings => new InferenceSession(model, settings));

    /// <summary>
    /// Runs the model on the caller's thread (and its pool) until it is done. <paramref name="inputs"/> stay the caller's. Where an entry of
    /// <paramref name="outputs"/> is null a tensor is rented for it, which the caller then owns; one that is there is written to and must have the shape
    /// that comes out. On an exception nothing is rented. With tensors that are used again nothing is allocated.
    /// </summary>
    /// <exception cref="InvalidTensorException">The inputs are not what the model takes.</exception>
    /// <exception cref="OnnxRunException">The model failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled: before, or during the run, which ends at the next operator.</exception>
    public void Run(ReadOnlySpan<Tensor> inputs, Span<Tensor?> outputs, CancellationToken cancellationToken)
    {
        Check(inputs);
        if (outputs.Length != Outputs.Length) throw new InvalidTensorException($"The model has {Outputs.Length} outputs, not {outputs.Length}.");
        cancellationToken.ThrowIfCancellationRequested();
        var binding = Rent();
        Span<bool> given = stackalloc bool[outputs.Length]; // the caller's own
        for (var i = 0; i < outputs.Length; i++) given[i] = outputs[i] is not null;
        var predicted = false;
        var done = false;
        try
        {
            binding.BindInputs(inputs);
            predicted = BindOutputs(binding, inputs, outputs);
            try
            {
                binding.Run(cancellationToken);
            }
            catch (OnnxRuntimeException) when (predicted && !cancellationToken.IsCancellationRequested)
            {
                // A model may promise a shape that it does not keep; then the runtime allocates what comes out. A failure for another reason fails again.
                DropRented(outputs, given);
                for (var i = 0; i < outputs.Length; i++) binding.BindOutput(i, outputs[i]);
                binding.Run(cancellationToken);
                for (var i = 0; i < outputs.Length; i++) if (outputs[i] is null) _isPredictable[i] = false;
            }
            binding.TakeOutputs(outputs);
            done = true;
        }
        catch (OnnxRuntimeException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new OnnxRunException(exception.Message, exception);
        }
        finally
        {
            if (!done) DropRented(outputs, given);
            Return(binding);
        }
    }

    /// <summary>Throws unless <see cref="Run"/> would take these tensors.</summary>
    /// <exception cref="InvalidTensorException">It would not; the message says which and why.</exception>
    public void Check(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != Inputs.Length) throw new InvalidTensorException($"The model has {Inputs.Length} inputs, not {inputs.Length}.");
        for (var i = 0; i < inputs.Length; i++)
        {
            var (expected, actual) = (Inputs[i], inputs[i]);
            if (actual.Type != expected.Type) throw new InvalidTensorException($"Input '{expected.Name}' is {expected.Type}, not {actual.Type}.");
            if (!Fits(expected, actual.Shape))
                throw new InvalidTensorException($"Input '{expected.Name}' has the shape [{string.Join(", ", expected.Shape)}], not [{string.Join(", ", actual.Shape.ToArray())}].");
        }
    }

    public void Dispose()
    {
        lock (_idle)
        {
            _isDisposed = true;
            while (_idle.TryPop(out var binding)) binding.Dispose();
        }
        _session.Dispose();
    }

    private static OnnxSession Load(OnnxSessionOptions options, Func<SessionOptions, InferenceSession> open)
    {
        OnnxRuntimeLibrary.Require();
        // The container's limit and the affinity are in it.
        var threads = options.IntraOpThreads > 0 ? options.IntraOpThreads : Environment.ProcessorCount;
        InferenceSession? session = null;
        try
        {
            (session, var device) = DeviceSelector.Create(options.Device, device =>
            {
                using var settings = Settings(options, device, threads);
                return open(settings);
            });
            return new OnnxSession(session, device, threads);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or OverflowException)
        {
            session?.Dispose();
            throw new InvalidModelException(exception.Message, exception);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    private static SessionOptions Settings(OnnxSessionOptions options, Device device, int threads)
    {
        var settings = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = options.Optimize ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            // Threads that wait sleep: a service shares its machine.
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            settings.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
            if (options.OptimizedModelPath is { } path) settings.OptimizedModelFilePath = path;
            foreach (var (name, size) in options.FixedDimensions) settings.AddFreeDimensionOverrideByName(name, size);
            DeviceSelector.Append(settings, device);
            return settings;
        }
        catch
        {
            settings.Dispose();
            throw;
        }
    }

    private static ImmutableArray<TensorInfo> Describe(IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> nodes, string what) =>
        [.. names.Select(name => nodes[name] is { IsTensor: true } node && TensorTypes.FromRuntime(node.ElementDataType) is { } type
            ? new TensorInfo(name, type, [.. node.Dimensions.Zip(node.SymbolicDimensions, static (size, symbol) => size >= 0 ? new Dimension(size) : new Dimension(null, symbol is "" ? null : symbol))])
            : throw new InvalidModelException($"The {what} '{name}' is no tensor of numbers."))];

    private static bool Fits(TensorInfo expected, ReadOnlySpan<long> actual)
    {
        if (actual.Length != expected.Shape.Length) return false;
        for (var i = 0; i < actual.Length; i++) if (expected.Shape[i].Size is { } size && size != actual[i]) return false;
        return true;
    }

    /// <summary>Binds every output, renting where the shape follows from the inputs'. True where something was rented.</summary>
    private bool BindOutputs(Binding binding, ReadOnlySpan<Tensor> inputs, Span<Tensor?> outputs)
    {
        var rented = false;
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] is null && _isPredictable[i] && Predict(Outputs[i], inputs) is { } tensor)
            {
                outputs[i] = tensor;
                rented = true;
            }
            binding.BindOutput(i, outputs[i]);
        }
        return rented;
    }

    private Tensor? Predict(TensorInfo output, ReadOnlySpan<Tensor> inputs)
    {
        Span<long> shape = stackalloc long[output.Shape.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            if ((output.Shape[i].Size ?? SizeOf(output.Shape[i].Name!, inputs)) is not { } size) return null;
            shape[i] = size;
        }
        return Tensor.Rent(output.Type, shape);
    }

    private long? SizeOf(string symbol, ReadOnlySpan<Tensor> inputs)
    {
        for (var i = 0; i < inputs.Length; i++)
        {
            var shape = Inputs[i].Shape;
            for (var j = 0; j < shape.Length; j++) if (shape[j].Name == symbol) return inputs[i].Shape[j];
        }
        return null;
    }

    private static void DropRented(Span<Tensor?> outputs, ReadOnlySpan<bool> given)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            if (given[i]) continue;
            outputs[i]?.Dispose();
            outputs[i] = null;
        }
    }

    private Binding Rent()
    {
        lock (_idle)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_idle.TryPop(out var binding)) return binding;
        }
        return new Binding(_session, Inputs, Outputs);
    }

    private void Return(Binding binding)
    {
        binding.Clear();
        lock (_idle)
        {
            if (!_isDisposed)
            {
                _idle.Push(binding);
                return;
            }
        }
        binding.Dispose();
    }
}
