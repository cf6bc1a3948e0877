using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Platform.Imaging;

namespace InferenceApi.Segmentation;

/// <summary>What a model found in one picture: what is kept, and what <c>POST /api/segment</c> answers.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Width">Of the picture, in pixels.</param>
/// <param name="Height">Of the picture, in pixels.</param>
/// <param name="PixelSpacing">Between rows and between columns, mm; left out where the picture has none.</param>
/// <param name="Labels">Those that were found, in the model's order.</param>
internal sealed record SegmentationResult(string Model, string Version, int Width, int Height, double[]? PixelSpacing, ImmutableArray<FoundLabel> Labels);

/// <summary>One label of a picture.</summary>
/// <param name="Value">As the model has it.</param>
/// <param name="Name">For people.</param>
/// <param name="Color"><c>#rrggbb</c>.</param>
/// <param name="Pixels">How many have it.</param>
/// <param name="AreaMm2">Their area, where the spacing is known.</param>
/// <param name="Confidence">Mean probability of its pixels, 0 to 1; left out where the model gives labels and no probabilities.</param>
/// <param name="Box">Left, top, width and height of the smallest box around them, in pixels.</param>
/// <param name="Runs">The mask within the box, row by row: how many pixels are out, then in, then out ...; what follows the last is out.</param>
internal sealed record FoundLabel(int Value, string Name, string Color, int Pixels, double? AreaMm2, double? Confidence, int[] Box, IReadOnlyList<int> Runs)
{
    [JsonIgnore]
    public PixelRegion Region => new(Box[0], Box[1], Box[2], Box[3]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SegmentationResult))]
internal sealed partial class SegmentationJson : JsonSerializerContext;
