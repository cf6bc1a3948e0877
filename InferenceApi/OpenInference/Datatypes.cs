using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.OpenInference;

/// <summary>Element types as the protocol names them.</summary>
internal static class Datatypes
{
    private static readonly (string Name, TensorType Type)[] All =
    [
        ("FP32", TensorType.Float32), ("FP64", TensorType.Float64), ("FP16", TensorType.Float16), ("BF16", TensorType.BFloat16), ("BOOL", TensorType.Bool),
        ("INT8", TensorType.Int8), ("INT16", TensorType.Int16), ("INT32", TensorType.Int32), ("INT64", TensorType.Int64),
        ("UINT8", TensorType.UInt8), ("UINT16", TensorType.UInt16), ("UINT32", TensorType.UInt32), ("UINT64", TensorType.UInt64),
    ];

    public static string NameOf(TensorType type) => All.First(entry => entry.Type == type).Name;

    public static string NameOf(TensorElement element) => element switch
    {
        TensorElement.Float32 => "FP32",
        TensorElement.Float64 => "FP64",
        TensorElement.Float16 => "FP16",
        TensorElement.BFloat16 => "BF16",
        _ => element.ToName().ToUpperInvariant(),
    };

    public static bool TryParse(string? name, out TensorType type)
    {
        foreach (var entry in All)
        {
            if (entry.Name != name) continue;
            type = entry.Type;
            return true;
        }
        type = default;
        return false;
    }
}
