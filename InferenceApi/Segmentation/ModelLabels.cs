using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using Platform.Imaging;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Segmentation;

/// <summary>The segments of a model: its labels without the background, numbered from 1 on in its order.</summary>
internal sealed class ModelSegments
{
    private readonly byte[] _numberOfValue = new byte[65536];

    public ModelSegments(ModelManifest model)
    {
        // A model without labels has one: what it is for.
        var labels = model.Labels.IsDefaultOrEmpty ? [new ModelLabel(1, model.Title, "#4cc2ff")] : model.Labels;
        Labels = [.. labels.Where(static label => label.Value != 0 || !label.Name.Equals("background", StringComparison.OrdinalIgnoreCase))];
        if (Labels.Length > byte.MaxValue) throw new UnsupportedInputException($"Segmentations have 255 labels at most; {model.Name} has {Labels.Length}.");
        for (var i = 0; i < Labels.Length; i++) _numberOfValue[Labels[i].Value] = (byte)(i + 1);
    }

    /// <summary>That of segment n is at n - 1.</summary>
    public ImmutableArray<ModelLabel> Labels { get; }

    /// <summary>The segment of a label's value; 0 for the background and for values without a label.</summary>
    public byte NumberOf(int value) => (uint)value < 65536u ? _numberOfValue[value] : (byte)0;
}

/// <summary>From what a model gives to segments.</summary>
internal static class ModelLabels
{
    /// <summary>The version of what is done here: part of every result's key.</summary>
    public const int Version = 1;

    /// <summary>Reads the segments of one picture.</summary>
    /// <param name="output">As the manifest describes it: labels, probabilities or logits.</param>
    /// <param name="tensor">What the model gave for one picture.</param>
    /// <param name="placement">Where the picture lies in it.</param>
    /// <param name="segments">The model's.</param>
    /// <param name="numbers">Takes a segment's number for each pixel of the model's picture, placement.ModelWidth x placement.ModelHeight.</param>
    /// <param name="confidence">Takes their probabilities; false is returned where the model gives none.</param>
    /// <exception cref="UnsupportedInputException">The output is not what a segmentation can be read from.</exception>
    public static bool Read(ModelOutput output, Tensor tensor, in Placement placement, ModelSegments segments, Span<byte> numbers, Span<float> confidence)
    {
        var size = placement.ModelWidth * placement.ModelHeight;
        if (output.Unit == OutputUnit.Label)
        {
            if (tensor.Count != size) throw new UnsupportedInputException($"'{output.Name}' has {tensor.Count} labels for {size} pixels.");
            for (var i = 0; i < size; i++) numbers[i] = segments.NumberOf(ValueAt(tensor, i));
            return false;
        }

        if (output.Unit is not (OutputUnit.Probability or OutputUnit.Logit) || tensor.Type != TensorType.Float32 || tensor.Count % size != 0 || output.Layout?.EndsWith('C') == true)
            throw new UnsupportedInputException($"'{output.Name}' is no segmentation: {output.Unit} of {tensor.Type}, {tensor.Count} values for {size} pixels.");
        var classes = (int)(tensor.Count / size);
        var scores = tensor.AsSpan<float>();
        var isLogit = output.Unit == OutputUnit.Logit;
        if (classes == 1)
        {
            var number = segments.NumberOf(1);
            for (var i = 0; i < size; i++)
            {
                var probability = isLogit ? 1 / (1 + MathF.Exp(-scores[i])) : scores[i];
                var isIn = probability >= output.Threshold;
                (numbers[i], confidence[i]) = (isIn ? number : (byte)0, isIn ? probability : 1 - probability);
            }

            return true;
        }

        for (var i = 0; i < size; i++)
        {
            var best = 0;
            for (var c = 1; c < classes; c++)
            {
                if (scores[c * size + i] > scores[best * size + i]) best = c;
            }

            var probability = scores[best * size + i];
            if (isLogit)
            {
                var sum = 0f;
                for (var c = 0; c < classes; c++) sum += MathF.Exp(scores[c * size + i] - probability);
                probability = 1 / sum;
            }

            (numbers[i], confidence[i]) = (segments.NumberOf(best), probability);
        }

        return true;
    }

    /// <summary>Describes the segments of a picture in its own size.</summary>
    public static SegmentationResult Describe(ModelManifest model, ModelSegments segments, ReadOnlySpan<byte> numbers, ReadOnlySpan<float> confidence, int width, int height, double[]? spacing)
    {
        Span<double> sums = stackalloc double[256];
        sums.Clear();
        for (var i = 0; i < confidence.Length; i++) sums[numbers[i]] += confidence[i];
        var found = ImmutableArray.CreateBuilder<FoundLabel>();
        foreach (var region in LabelRegion.Find(numbers, width))
        {
            var label = segments.Labels[region.Label - 1];
            found.Add(new FoundLabel(label.Value, label.Name, label.Color, region.Pixels,
                spacing is null ? null : Math.Round(region.Pixels * spacing[0] * spacing[1], 3),
                confidence.IsEmpty ? null : Math.Round(sums[region.Label] / region.Pixels, 4),
                [region.Box.Left, region.Box.Top, region.Box.Width, region.Box.Height],
                RunLengths.Encode(numbers, width, region.Box, region.Label)));
        }

        return new SegmentationResult(model.Name, model.Version, width, height, spacing, found.ToImmutable());
    }

    /// <summary>A label's colour; the accent where it is none.</summary>
    public static LabelColour ColourOf(string color) =>
        color.Length == 7 && int.TryParse(color.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rgb)
            ? new LabelColour((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb)
            : new LabelColour(0x4c, 0xc2, 0xff);

    /// <summary>Brings a picture's part of what the model saw to the picture's own size.</summary>
    public static void Restore(ReadOnlySpan<byte> numbers, ReadOnlySpan<float> confidence, in Placement placement, Span<byte> toNumbers, Span<float> toConfidence, int width, int height)
    {
        var part = ArrayPool<byte>.Shared.Rent(placement.Width * placement.Height);
        var sure = ArrayPool<float>.Shared.Rent(placement.Width * placement.Height);
        try
        {
            for (var y = 0; y < placement.Height; y++)
            {
                numbers.Slice(y * placement.ModelWidth, placement.Width).CopyTo(part.AsSpan(y * placement.Width));
                if (!confidence.IsEmpty) confidence.Slice(y * placement.ModelWidth, placement.Width).CopyTo(sure.AsSpan(y * placement.Width));
            }

            PlaneResampler.Resample(part.AsSpan(0, placement.Width * placement.Height), placement.Width, placement.Height, toNumbers, width, height);
            if (!confidence.IsEmpty) PlaneResampler.Resample(sure.AsSpan(0, placement.Width * placement.Height), placement.Width, placement.Height, toConfidence, width, height, PlaneFilter.Nearest, CancellationToken.None);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(part);
            ArrayPool<float>.Shared.Return(sure);
        }
    }

    private static int ValueAt(Tensor tensor, int index) => tensor.Type switch
    {
        TensorType.UInt8 => tensor.AsSpan<byte>()[index],
        TensorType.Int8 => tensor.AsSpan<sbyte>()[index],
        TensorType.UInt16 => tensor.AsSpan<ushort>()[index],
        TensorType.Int16 => tensor.AsSpan<short>()[index],
        TensorType.Int32 => tensor.AsSpan<int>()[index],
        TensorType.Int64 => (int)Math.Clamp(tensor.AsSpan<long>()[index], -1, 65536),
        TensorType.Float32 => (int)Math.Clamp(tensor.AsSpan<float>()[index], -1f, 65536f),
        _ => throw new UnsupportedInputException($"Labels of {tensor.Type} are not read."),
    };
}
