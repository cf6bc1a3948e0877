using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Sessions;

/// <summary>The shapes that a model is warmed with: its own sizes, and for open ones what its pictures have.</summary>
internal static class WarmShapes
{
    private const int SliceSide = 512, PictureSide = 256, Depth = 16, Unknown = 16;

    /// <summary>A shape for each input, one sample. Dimensions with the same name get the same size.</summary>
    public static long[][] Of(OnnxSession session, ModelManifest manifest)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        return [.. session.Inputs.Select(input => Of(input, manifest.Inputs.FirstOrDefault(entry => entry.Name == input.Name), sizes))];
    }

    private static long[] Of(TensorInfo input, ModelInput? described, Dictionary<string, long> sizes)
    {
        var shape = new long[input.Shape.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            var dimension = input.Shape[i];
            if (dimension.Size is { } size)
            {
                shape[i] = size;
                continue;
            }
            var fixedByManifest = described is not null && described.Shape.Length == shape.Length && described.Shape[i].Size > 0 ? described.Shape[i].Size : 0;
            var guess = fixedByManifest > 0 ? fixedByManifest : Guess(i, described);
            shape[i] = dimension.Name is null ? guess : sizes.TryGetValue(dimension.Name, out var known) ? known : sizes[dimension.Name] = guess;
        }
        return shape;
    }

    private static long Guess(int index, ModelInput? described)
    {
        var side = described?.Unit == InputUnit.Hounsfield ? SliceSide : PictureSide;
        return (described?.Layout is { } layout && index < layout.Length ? layout[index] : index == 0 ? 'N' : '?') switch
        {
            'N' => 1,
            'C' => described?.Unit is InputUnit.Rgb or InputUnit.Bgr ? 3 : 1,
            'D' => Depth,
            'H' => described?.Preprocessing.Resize?.Height ?? side,
            'W' => described?.Preprocessing.Resize?.Width ?? side,
            _ => Unknown,
        };
    }
}
