namespace Platform.Onnx.Tests;

/// <summary>A fact that runs models: skipped, with the reason, where the native runtime is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeFactAttribute : FactAttribute
{
    public RuntimeFactAttribute() => Skip = OnnxRuntimeLibrary.WhyUnavailable;
}

/// <summary>As <see cref="RuntimeFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeTheoryAttribute : TheoryAttribute
{
    public RuntimeTheoryAttribute() => Skip = OnnxRuntimeLibrary.WhyUnavailable;
}
