namespace Platform.Models;

/// <summary>Names and sizes of element types.</summary>
public static class TensorElements
{
    internal static (string Name, TensorElement Value)[] Names { get; } =
    [
        ("float32", TensorElement.Float32), ("float16", TensorElement.Float16), ("bfloat16", TensorElement.BFloat16), ("float64", TensorElement.Float64),
        ("int8", TensorElement.Int8), ("uint8", TensorElement.UInt8), ("int16", TensorElement.Int16), ("uint16", TensorElement.UInt16),
        ("int32", TensorElement.Int32), ("uint32", TensorElement.UInt32), ("int64", TensorElement.Int64), ("uint64", TensorElement.UInt64), ("bool", TensorElement.Bool),
    ];

    /// <summary>The name as manifests have it.</summary>
    public static string ToName(this TensorElement element)
    {
        foreach (var (name, value) in Names)
            if (value == element) return name;
        throw new ArgumentOutOfRangeException(nameof(element));
    }

    /// <summary>Bytes of one element.</summary>
    public static int Size(this TensorElement element) => element switch
    {
        TensorElement.Int8 or TensorElement.UInt8 or TensorElement.Bool => 1,
        TensorElement.Float16 or TensorElement.BFloat16 or TensorElement.Int16 or TensorElement.UInt16 => 2,
        TensorElement.Float32 or TensorElement.Int32 or TensorElement.UInt32 => 4,
        _ => 8,
    };
}
