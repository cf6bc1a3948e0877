using System.Buffers;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Jpeg;

/// <summary>From component planes to interleaved pixels: subsampled components are interpolated, colour becomes RGB.</summary>
internal static class JpegOutput
{
    public static FrameDescription Write(JpegHeaders headers, in FrameDescription expected, ReadOnlySpan<ushort> samples, ReadOnlySpan<int> offsets, Span<byte> frame, CancellationToken cancellationToken)
    {
        var (width, height, count) = (headers.Width, headers.Height, headers.ComponentCount);
        var isYbr = count == 3 && IsYbr(headers, expected);
        var produced = expected with
        {
            BitsStored = Math.Min(expected.BitsStored, expected.BitsAllocated),
            IsPlanar = false,
            Photometric = count == 3 ? Photometric.Rgb : expected.Photometric,
        };

        var lines = ArrayPool<ushort>.Shared.Rent(count * width);
        try
        {
            for (var row = 0; row < height; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var i = 0; i < count; i++)
                {
                    ref readonly var component = ref headers.Components[i];
                    Upsampler.ReadRow(samples[(64 * offsets[i])..], component, headers.MaxH, headers.MaxV, row, lines.AsSpan(i * width, width));
                }
                var line = lines.AsSpan(0, count * width);
                if (isYbr) ToRgb(line[..width], line.Slice(width, width), line[(2 * width)..], headers.Precision);
                Interleave(line, width, count, frame, row, produced.BytesPerSample);
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(lines);
        }
        SampleBits.Normalize(frame, produced);
        return produced;
    }

    // Whether the components are luminance and colour differences. The stream's own word counts for more than the data set's, which
    // is often wrong: Adobe's marker, then JFIF (always YCbCr), then component ids, then the photometric interpretation.
    private static bool IsYbr(JpegHeaders headers, in FrameDescription expected)
    {
        if (headers.AdobeTransform >= 0) return headers.AdobeTransform == 1;
        if (headers.HasJfif) return true;
        if (headers.Components[0].Id == 'R' && headers.Components[1].Id == 'G' && headers.Components[2].Id == 'B') return false;
        return expected.Photometric != Photometric.Rgb || headers.MaxH > 1 || headers.MaxV > 1;
    }

    // JFIF 1.02, BT.601 full range, 16-bit fixed point with the reference decoders' rounding.
    private static void ToRgb(Span<ushort> y, Span<ushort> cb, Span<ushort> cr, int precision)
    {
        int center = 1 << (precision - 1), max = (1 << precision) - 1;
        const int Half = 1 << 15;
        for (var i = 0; i < y.Length; i++)
        {
            int luma = y[i], blue = cb[i] - center, red = cr[i] - center;
            y[i] = (ushort)Math.Clamp(luma + ((91881 * red + Half) >> 16), 0, max);
            cb[i] = (ushort)Math.Clamp(luma + ((-22554 * blue - 46802 * red + Half) >> 16), 0, max);
            cr[i] = (ushort)Math.Clamp(luma + ((116130 * blue + Half) >> 16), 0, max);
        }
    }

    private static void Interleave(ReadOnlySpan<ushort> lines, int width, int count, Span<byte> frame, int row, int bytesPerSample)
    {
        var target = frame.Slice(row * width * count * bytesPerSample, width * count * bytesPerSample);
        for (var component = 0; component < count; component++)
        {
            var line = lines.Slice(component * width, width);
            switch (bytesPerSample)
            {
                case 1:
                    for (int i = 0, at = component; i < width; i++, at += count) target[at] = (byte)line[i];
                    break;
                case 2:
                    var wide = MemoryMarshal.Cast<byte, ushort>(target);
                    for (int i = 0, at = component; i < width; i++, at += count) wide[at] = line[i];
                    break;
                default:
                    var widest = MemoryMarshal.Cast<byte, uint>(target);
                    for (int i = 0, at = component; i < width; i++, at += count) widest[at] = line[i];
                    break;
            }
        }
    }
}
