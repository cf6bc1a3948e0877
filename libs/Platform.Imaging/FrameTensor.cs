using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>How a model wants the samples of a picture: <c>(sample / 255 - Mean) / Deviation</c> for each of red, green and blue.</summary>
/// <param name="Mean">Of each channel, on samples from 0 to 1.</param>
/// <param name="Deviation">Of each channel, above 0.</param>
public readonly record struct ChannelScaling(Vector3 Mean, Vector3 Deviation)
{
    /// <summary>Samples from 0 to 1 as they are.</summary>
    public static ChannelScaling None { get; } = new(Vector3.Zero, Vector3.One);

    /// <summary>The statistics of ImageNet that most photo models were trained with, MiDaS among them.</summary>
    public static ChannelScaling ImageNet { get; } = new(new Vector3(0.485f, 0.456f, 0.406f), new Vector3(0.229f, 0.224f, 0.225f));
}

/// <summary>From frames and pictures to the numbers that a model reads: float32, rows after rows, channel after channel (NCHW).</summary>
public static class FrameTensor
{
    /// <summary>A frame of one sample per pixel in modality units, Hounsfield units for CT: the modality LUT or rescale of PS3.3 C.11.1, no window.</summary>
    /// <param name="pixels">Stored values as decoders give them.</param>
    /// <param name="frame">What they are; one sample per pixel.</param>
    /// <param name="mapping">Its rescale or modality LUT; window and inversion play no part.</param>
    /// <param name="values">Takes rows x columns values.</param>
    /// <param name="cancellationToken">Checked between stretches.</param>
    /// <exception cref="InvalidFrameException">The frame has colour.</exception>
    public static void ToModality(ReadOnlySpan<byte> pixels, in FrameDescription frame, GreyMapping mapping, Span<float> values, CancellationToken cancellationToken)
    {
        if (frame.SamplesPerPixel != 1 || frame.Photometric == Photometric.PaletteColor) throw new InvalidFrameException("A frame of colours has no modality values.");
        const int Stretch = 1 << 16;
        var count = frame.Rows * frame.Columns;
        for (var start = 0; start < count; start += Stretch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = values[start..Math.Min(count, start + Stretch)];
            Widen(pixels, frame, start, part);
            if (mapping.ModalityLut is not null)
            {
                foreach (ref var value in part) value = (float)mapping.ToModality(value);
            }
            else
            {
                TensorPrimitives.Multiply(part, (float)mapping.Slope, part);
                TensorPrimitives.Add(part, (float)mapping.Intercept, part);
            }
        }
    }

    /// <summary>A picture brought to a size, as three planes; a grey picture is three times the same.</summary>
    /// <param name="picture">Grey or colour.</param>
    /// <param name="width">Of the planes.</param>
    /// <param name="height">Of the planes.</param>
    /// <param name="scaling">What the model was trained with.</param>
    /// <param name="planes">Takes 3 x height x width values.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static void FromPicture(Picture picture, int width, int height, in ChannelScaling scaling, Span<float> planes, CancellationToken cancellationToken)
    {
        using var fitted = FrameRenderer.Fit(picture, new PixelRegion(0, 0, picture.Width, picture.Height), width, height, false, false, cancellationToken);
        var size = width * height;
        var samples = fitted.Pixels;
        for (var channel = 0; channel < 3; channel++)
        {
            var plane = planes.Slice(channel * size, size);
            var factor = 1 / (255 * scaling.Deviation[channel]);
            var offset = -scaling.Mean[channel] / scaling.Deviation[channel];
            for (int i = 0, at = picture.Channels == 3 ? channel : 0; i < plane.Length; i++, at += picture.Channels) plane[i] = samples[at] * factor + offset;
        }
    }

    private static void Widen(ReadOnlySpan<byte> pixels, in FrameDescription frame, int start, Span<float> to)
    {
        switch (frame.BitsAllocated, frame.IsSigned)
        {
            case (1, _):
                for (var i = 0; i < to.Length; i++) to[i] = pixels[(start + i) >> 3] >> ((start + i) & 7) & 1;
                break;
            case (8, false):
                TensorPrimitives.ConvertSaturating(pixels.Slice(start, to.Length), to);
                break;
            case (8, true):
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, sbyte>(pixels).Slice(start, to.Length), to);
                break;
            case (16, false):
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, ushort>(pixels).Slice(start, to.Length), to);
                break;
            case (16, true):
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, short>(pixels).Slice(start, to.Length), to);
                break;
            case (_, false):
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, uint>(pixels).Slice(start, to.Length), to);
                break;
            default:
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, int>(pixels).Slice(start, to.Length), to);
                break;
        }
    }
}
