namespace Platform.Onnx.Tests;

/// <summary>A theory that runs models: skipped, with the reason, where the native runtime is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeTheoryAttribute : TheoryAttribute
{
    public RuntimeTheoryAttribute() => Skip = OnnxRuntimeLibrary.WhyUnavailable;
}
