using System.Collections.Immutable;

namespace Platform.Onnx;

/// <summary>What a model says of one input or output. The shape is in the order of memory, slowest first.</summary>
public sealed record TensorInfo(string Name, TensorType Type, ImmutableArray<Dimension> Shape)
{
    public override string ToString() => $"{Name} {Type}[{string.Join(", ", Shape)}]";
}

/// <summary>One dimension: a size, or open (<see cref="Size"/> is null), often with a name that is the same wherever the size must be.</summary>
public readonly record struct Dimension(long? Size, string? Name = null)
{
    public override string ToString() => Size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? Name ?? "?";
}

/// <summary>The element types that tensors here may have; strings and complex numbers are none.</summary>
public enum TensorType
{
    Float32,
    Float64,
    Float16,
    BFloat16,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Bool,
}
