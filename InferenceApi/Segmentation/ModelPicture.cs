using System.Numerics.Tensors;
using Platform.Codecs;
using Platform.Imaging;
using Platform.Models;
using Platform.Onnx;
using Tensor = Platform.Onnx.Tensor;

namespace InferenceApi.Segmentation;

/// <summary>Where a picture lies in what the model sees: its upper left part, of this size; the whole has the model's size.</summary>
internal readonly record struct Placement(int Width, int Height, int ModelWidth, int ModelHeight);

/// <summary>A manifest asks for something that pictures cannot be prepared as.</summary>
internal sealed class UnsupportedInputException(string message) : Exception(message);

/// <summary>
/// A picture as a model wants it, by its manifest: resized, clipped to its range, normalised, in the layout of its input (Platform.Models, README,
/// "A manifest"). Float32, one picture at a time.
/// </summary>
internal static class ModelPicture
{
    /// <summary>The version of what is done here: part of every result's key.</summary>
    public const int Version = 1;

    /// <summary>The most values that one picture may become.</summary>
    private const long MaxValues = 64 << 20;

    /// <summary>Prepares Hounsfield units or grey values: one plane. The caller disposes the tensor.</summary>
    public static Tensor Prepare(ModelInput input, ReadOnlySpan<float> plane, int width, int height, out Placement placement, CancellationToken cancellationToken)
    {
        var tensor = Rent(input, width, height, out placement, out var channels);
        try
        {
            for (var channel = 0; channel < channels; channel++) Put(input, plane, width, height, tensor, placement, channel, channels, cancellationToken);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Prepares a picture, 0 to 255. The caller disposes the tensor.</summary>
    public static Tensor Prepare(ModelInput input, Picture picture, out Placement placement, CancellationToken cancellationToken)
    {
        var tensor = Rent(input, picture.Width, picture.Height, out placement, out var channels);
        var plane = System.Buffers.ArrayPool<float>.Shared.Rent(picture.Width * picture.Height);
        try
        {
            for (var channel = 0; channel < channels; channel++)
            {
                Fill(picture, channels == 1 ? null : input.Unit == InputUnit.Bgr ? 2 - channel : channel, plane.AsSpan(0, picture.Width * picture.Height));
                Put(input, plane.AsSpan(0, picture.Width * picture.Height), picture.Width, picture.Height, tensor, placement, channel, channels, cancellationToken);
            }

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
        finally
        {
            System.Buffers.ArrayPool<float>.Shared.Return(plane);
        }
    }

    /// <summary>One channel of a picture; null for its luma (BT.601).</summary>
    private static void Fill(Picture picture, int? channel, Span<float> plane)
    {
        var pixels = picture.Pixels;
        if (picture.Channels == 1)
        {
            TensorPrimitives.ConvertSaturating<byte, float>(pixels, plane);
            return;
        }

        for (int i = 0, at = 0; i < plane.Length; i++, at += 3)
            plane[i] = channel is { } one ? pixels[at + one] : 0.299f * pixels[at] + 0.587f * pixels[at + 1] + 0.114f * pixels[at + 2];
    }

    private static Tensor Rent(ModelInput input, int width, int height, out Placement placement, out int channels)
    {
        if (input.Element != TensorElement.Float32) throw new UnsupportedInputException($"Pictures are prepared as float32, not as {input.Element}.");
        var layout = input.Layout ?? throw new UnsupportedInputException($"The manifest does not say the layout of '{input.Name}'.");
        placement = Place(input, layout, width, height);
        channels = 1;
        Span<long> shape = stackalloc long[layout.Length];
        for (var i = 0; i < layout.Length; i++)
        {
            shape[i] = layout[i] switch
            {
                'H' => placement.ModelHeight,
                'W' => placement.ModelWidth,
                'C' => channels = (int)(input.Shape[i].Size is > 0 and var told ? told : input.Unit is InputUnit.Rgb or InputUnit.Bgr ? 3 : 1),
                _ => Math.Max(1, input.Shape[i].Size),
            };
        }

        if (channels is not (1 or 3)) throw new UnsupportedInputException($"Pictures have 1 or 3 channels, not {channels}.");
        if ((long)placement.ModelWidth * placement.ModelHeight * channels > MaxValues) throw new UnsupportedInputException($"A picture of {placement.ModelWidth} x {placement.ModelHeight} is too large for a model.");
        return Tensor.Rent(TensorType.Float32, shape);
    }

    private static Placement Place(ModelInput input, string layout, int width, int height)
    {
        var step = input.Preprocessing.Resize;
        int? modelHeight = step?.Height ?? (int?)SizeOf(input, layout, 'H'), modelWidth = step?.Width ?? (int?)SizeOf(input, layout, 'W');
        var multiple = step?.MultipleOf ?? 1;
        var (targetHeight, targetWidth) = (modelHeight ?? RoundUp(height, multiple), modelWidth ?? RoundUp(width, multiple));
        switch (step?.Mode)
        {
            case ResizeMode.Stretch:
                return new Placement(targetWidth, targetHeight, targetWidth, targetHeight);
            case ResizeMode.Fit:
                var scale = Math.Min((double)targetWidth / width, (double)targetHeight / height);
                return new Placement(Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)), targetWidth, targetHeight);
            default:
                if (targetWidth < width || targetHeight < height) throw new UnsupportedInputException($"The model takes pictures of {targetWidth} x {targetHeight}; this one has {width} x {height}.");
                return new Placement(width, height, targetWidth, targetHeight);
        }
    }

    private static long? SizeOf(ModelInput input, string layout, char letter) => layout.IndexOf(letter, StringComparison.Ordinal) is >= 0 and var at && input.Shape[at].Size > 0 ? input.Shape[at].Size : null;

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private static void Put(ModelInput input, ReadOnlySpan<float> plane, int width, int height, Tensor tensor, in Placement placement, int channel, int channels, CancellationToken cancellationToken)
    {
        var size = placement.ModelWidth * placement.ModelHeight;
        var values = tensor.AsSpan<float>();
        var isLast = input.Layout!.EndsWith('C') && channels > 1;
        var scratch = isLast || placement.Width != placement.ModelWidth || placement.Height != placement.ModelHeight ? System.Buffers.ArrayPool<float>.Shared.Rent(2 * size) : null;
        try
        {
            var whole = isLast ? scratch.AsSpan(0, size) : values.Slice(channel * size, size);
            var picture = placement.Width == placement.ModelWidth && placement.Height == placement.ModelHeight ? whole : scratch.AsSpan(size, placement.Width * placement.Height);
            PlaneResampler.Resample(plane, width, height, picture, placement.Width, placement.Height, FilterOf(input.Preprocessing.Resize?.Filter), cancellationToken);
            if (picture.Length != whole.Length)
            {
                whole.Fill((float)input.Preprocessing.Fill);
                for (var y = 0; y < placement.Height; y++) picture.Slice(y * placement.Width, placement.Width).CopyTo(whole[(y * placement.ModelWidth)..]);
            }

            Normalise(input.Preprocessing, channel, whole);
            if (!isLast) return;
            for (int i = 0, at = channel; i < size; i++, at += channels) values[at] = whole[i];
        }
        finally
        {
            if (scratch is not null) System.Buffers.ArrayPool<float>.Shared.Return(scratch);
        }
    }

    private static void Normalise(Preprocessing steps, int channel, Span<float> values)
    {
        if (steps.Range is { } range)
        {
            TensorPrimitives.Max(values, (float)range.FromLow, values);
            TensorPrimitives.Min(values, (float)range.FromHigh, values);
            var factor = (range.ToHigh - range.ToLow) / (range.FromHigh - range.FromLow);
            TensorPrimitives.Multiply(values, (float)factor, values);
            TensorPrimitives.Add(values, (float)(range.ToLow - range.FromLow * factor), values);
        }

        if (!steps.Mean.IsDefaultOrEmpty) TensorPrimitives.Subtract(values, (float)steps.Mean[Math.Min(channel, steps.Mean.Length - 1)], values);
        if (!steps.Std.IsDefaultOrEmpty) TensorPrimitives.Divide(values, (float)steps.Std[Math.Min(channel, steps.Std.Length - 1)], values);
    }

    private static PlaneFilter FilterOf(ResizeFilter? filter) => filter switch
    {
        ResizeFilter.Nearest => PlaneFilter.Nearest,
        ResizeFilter.Bicubic => PlaneFilter.Bicubic,
        _ => PlaneFilter.Bilinear,
    };
}
