using BenchmarkDotNet.Attributes;
using Microsoft.ML.OnnxRuntime;
using PerfTests.Inference;
using Platform.Onnx;

namespace PerfTests.Micro;

/// <summary>
/// What our session adds to the runtime's own: a run through it against a run with a binding that stays bound, of a model with next to nothing to do.
/// </summary>
[MemoryDiagnoser]
public class OnnxRunBenchmarks
{
    private InferenceSession _bare = null!;
    private OrtIoBinding _binding = null!;
    private RunOptions _options = null!;
    private OnnxSession _session = null!;
    private Tensor[] _inputs = null!;
    private Tensor?[] _outputs = null!;

    [GlobalSetup]
    public void Setup()
    {
        var model = TinyModel.AddToItself();
        using var settings = new SessionOptions { IntraOpNumThreads = 1 };
        _bare = new InferenceSession(model, settings);
        _binding = _bare.CreateIoBinding();
        _options = new RunOptions();
        _binding.BindInput("x", OrtValue.CreateTensorValueFromMemory(new float[4], [4]));
        _binding.BindOutput("y", OrtValue.CreateTensorValueFromMemory(new float[4], [4]));
        _session = OnnxSession.Load(model, new OnnxSessionOptions { Device = "cpu", IntraOpThreads = 1 });
        _inputs = [Tensor.Rent(TensorType.Float32, 4)];
        _outputs = [Tensor.Rent(TensorType.Float32, 4)];
        _inputs[0].AsSpan<float>().Fill(21);
        Ours();
        if (_outputs[0]!.AsSpan<float>()[3] != 42) throw new InvalidOperationException("Wrong result.");
    }

    [Benchmark(Baseline = true)]
    public void Bare() => _bare.RunWithBinding(_options, _binding);

    [Benchmark]
    public void Ours() => _session.Run(_inputs, _outputs, CancellationToken.None);
}
