using System.Collections.Immutable;

namespace Platform.Models.Tests;

/// <summary>Tensors of every kind that all formats have.</summary>
internal static class SomeTensors
{
    public static IReadOnlyList<WeightTensor> All(bool bfloat16 = false) =>
    [
        Make("conv.weight", TensorElement.Float32, 4, 3, 3, 3),
        Make("/block/conv.bias", TensorElement.Float32, 4),
        Make("a%b", TensorElement.Float64, 7, 5),
        Make("half", TensorElement.Float16, 3, 3),
        Make("steps", TensorElement.Int64),
        Make("table", TensorElement.Int32, 2, 2),
        Make("bytes", TensorElement.UInt8, 5000),
        new("mask", TensorElement.Bool, [2, 2], new MemoryPiece(new byte[] { 1, 0, 0, 1 })),
        Make("nothing", TensorElement.Float32, 0, 3),
        .. bfloat16 ? [Make("brain", TensorElement.BFloat16, 6)] : Array.Empty<WeightTensor>(),
    ];

    public static WeightTensor Make(string name, TensorElement element, params long[] shape)
    {
        var bytes = new byte[WeightTensor.BytesOf(element, [.. shape])];
        new Random(name.Length).NextBytes(bytes);
        return new WeightTensor(name, element, shape.ToImmutableArray(), new MemoryPiece(bytes));
    }
}
