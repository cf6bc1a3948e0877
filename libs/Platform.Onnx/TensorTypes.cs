using Microsoft.ML.OnnxRuntime.Tensors;

namespace Platform.Onnx;

/// <summary>Sizes of element types, and their names in the runtime and in .NET.</summary>
public static class TensorTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(this TensorType type) => type switch
    {
        TensorType.Int8 or TensorType.UInt8 or TensorType.Bool => 1,
        TensorType.Int16 or TensorType.UInt16 or TensorType.Float16 or TensorType.BFloat16 => 2,
        TensorType.Float32 or TensorType.Int32 or TensorType.UInt32 => 4,
        _ => 8,
    };

    /// <summary>Whether <typeparamref name="T"/> reads the elements as what they are. <see cref="Half"/> is Float16; BFloat16 has no type and is read as bytes.</summary>
    public static bool Is<T>(this TensorType type) where T : unmanaged => type switch
    {
        TensorType.Float32 => typeof(T) == typeof(float),
        TensorType.Float64 => typeof(T) == typeof(double),
        TensorType.Float16 => typeof(T) == typeof(Half),
        TensorType.Int8 => typeof(T) == typeof(sbyte),
        TensorType.Int16 => typeof(T) == typeof(short),
        TensorType.Int32 => typeof(T) == typeof(int),
        TensorType.Int64 => typeof(T) == typeof(long),
        TensorType.UInt8 => typeof(T) == typeof(byte),
        TensorType.UInt16 => typeof(T) == typeof(ushort),
        TensorType.UInt32 => typeof(T) == typeof(uint),
        TensorType.UInt64 => typeof(T) == typeof(ulong),
        TensorType.Bool => typeof(T) == typeof(bool),
        _ => false,
    };

    internal static TensorElementType ToRuntime(this TensorType type) => type switch
    {
        TensorType.Float32 => TensorElementType.Float,
        TensorType.Float64 => TensorElementType.Double,
        TensorType.Float16 => TensorElementType.Float16,
        TensorType.BFloat16 => TensorElementType.BFloat16,
        TensorType.Int8 => TensorElementType.Int8,
        TensorType.Int16 => TensorElementType.Int16,
        TensorType.Int32 => TensorElementType.Int32,
        TensorType.Int64 => TensorElementType.Int64,
        TensorType.UInt8 => TensorElementType.UInt8,
        TensorType.UInt16 => TensorElementType.UInt16,
        TensorType.UInt32 => TensorElementType.UInt32,
        TensorType.UInt64 => TensorElementType.UInt64,
        _ => TensorElementType.Bool,
    };

    internal static TensorType? FromRuntime(TensorElementType type) => type switch
    {
        TensorElementType.Float => TensorType.Float32,
        TensorElementType.Double => TensorType.Float64,
        TensorElementType.Float16 => TensorType.Float16,
        TensorElementType.BFloat16 => TensorType.BFloat16,
        TensorElementType.Int8 => TensorType.Int8,
        TensorElementType.Int16 => TensorType.Int16,
        TensorElementType.Int32 => TensorType.Int32,
        TensorElementType.Int64 => TensorType.Int64,
        TensorElementType.UInt8 => TensorType.UInt8,
        TensorElementType.UInt16 => TensorType.UInt16,
        TensorElementType.UInt32 => TensorType.UInt32,
        TensorElementType.UInt64 => TensorType.UInt64,
        TensorElementType.Bool => TensorType.Bool,
        _ => null,
    };
}
