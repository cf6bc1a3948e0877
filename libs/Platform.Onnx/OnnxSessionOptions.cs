namespace Platform.Onnx;

/// <summary>How a model is loaded.</summary>
public sealed record OnnxSessionOptions
{
    /// <summary><c>auto</c> (CUDA, WebGPU on a hardware adapter, CPU: the first that works), or a device by name: <c>cpu</c>, <c>webgpu</c>, <c>cuda</c>, <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Threads that one run on the CPU uses, the caller's among them. 0: as many as the machine, or the container's limit, gives this process.</summary>
    public int IntraOpThreads { get; init; }

    /// <summary>False for a graph that is already optimised: it then loads as it is.</summary>
    public bool Optimize { get; init; } = true;

    /// <summary>Where to write the optimised graph while loading, null for nowhere. The file holds for this runtime, device and machine only.</summary>
    public string? OptimizedModelPath { get; init; }

    /// <summary>Sizes for open dimensions by their names, known before loading: the runtime can plan for them.</summary>
    public IReadOnlyDictionary<string, long> FixedDimensions { get; init; } = new Dictionary<string, long>();
}
