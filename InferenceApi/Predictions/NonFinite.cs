using System.Numerics;
using System.Runtime.InteropServices;
using Platform.Onnx;

namespace InferenceApi.Predictions;

/// <summary>Finds NaN and infinities: numbers whose exponent has all bits set.</summary>
internal static class NonFinite
{
    /// <summary>The index of the first, -1 where all are finite or the type has none.</summary>
    public static long IndexIn(Tensor tensor) => tensor.Type switch
    {
        TensorType.Float32 => IndexOf(MemoryMarshal.Cast<byte, uint>(tensor.Bytes), 0x7F800000u),
        TensorType.Float64 => IndexOf(MemoryMarshal.Cast<byte, ulong>(tensor.Bytes), 0x7FF0000000000000ul),
        TensorType.Float16 => IndexOf(MemoryMarshal.Cast<byte, ushort>(tensor.Bytes), (ushort)0x7C00),
        TensorType.BFloat16 => IndexOf(MemoryMarshal.Cast<byte, ushort>(tensor.Bytes), (ushort)0x7F80),
        _ => -1,
    };

    private static int IndexOf<T>(ReadOnlySpan<T> bits, T exponent) where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        var i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(bits[i..]) & mask, mask)) break;
        }
        for (; i < bits.Length; i++) if ((bits[i] & exponent) == exponent) return i;
        return -1;
    }
}
