using System.Buffers;

namespace Platform.Codecs.Jpeg;

/// <summary>From component planes to interleaved pixels: subsampled components are interpolated, colour becomes RGB.</summary>
internal static class JpegOutput
{
    public static FrameDescription Write(JpegHeaders headers, in FrameDescription expected, ReadOnlySpan<ushort> samples, ReadOnlySpan<int> offsets, IBufferWriter<byte> pixels, CancellationToken cancellationToken)
    {
        var (width, height, count) = (headers.Width, headers.Height, headers.ComponentCount);
        var isYbr = count == 3 && IsYbr(headers, expected);
        var produced = expected with
        {
            BitsStored = Math.Min(expected.BitsStored, expected.BitsAllocated),
            IsPlanar = false,
            Photometric = count == 3 ? Photometric.Rgb : expected.Photometric,
        };

        var rented = ArrayPool<ushort>.Shared.Rent((count + 1) * (width + 1));
        try
        {
            var length = width + 1;
            Span<ushort> line0 = rented.AsSpan(0, length), line1 = count > 1 ? rented.AsSpan(length, length) : default, line2 = count > 2 ? rented.AsSpan(2 * length, length) : default, line3 = count > 3 ? rented.AsSpan(3 * length, length) : default;
            var work = rented.AsSpan(count * length, length);
            var rowBytes = width * count * produced.BytesPerSample;
            for (var row = 0; row < height; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var target = pixels.GetSpan(rowBytes)[..rowBytes];
                var first = Upsampler.ReadRow(samples[(64 * offsets[0])..], headers.Components[0], headers.MaxH, headers.MaxV, row, line0[..width], work);
                if (count == 1)
                {
                    PixelRows.Write(first, target, produced.BytesPerSample);
                }
                else
                {
                    var second = Upsampler.ReadRow(samples[(64 * offsets[1])..], headers.Components[1], headers.MaxH, headers.MaxV, row, line1[..width], work);
                    var third = Upsampler.ReadRow(samples[(64 * offsets[2])..], headers.Components[2], headers.MaxH, headers.MaxV, row, line2[..width], work);
                    if (count == 4) WriteInks(first, second, third, Upsampler.ReadRow(samples[(64 * offsets[3])..], headers.Components[3], headers.MaxH, headers.MaxV, row, line3[..width], work), target);
                    else if (isYbr) PixelRows.WriteRgb(first, second, third, target, produced.BytesPerSample, headers.Precision);
                    else PixelRows.Write(first, second, third, target, produced.BytesPerSample);
                }
                SampleBits.Normalize(target, produced);
                pixels.Advance(rowBytes);
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(rented);
        }
        return produced;
    }

    // Pictures for printing are rare: no need to be quick.
    private static void WriteInks(ReadOnlySpan<ushort> first, ReadOnlySpan<ushort> second, ReadOnlySpan<ushort> third, ReadOnlySpan<ushort> fourth, Span<byte> target)
    {
        for (int i = 0, at = 0; at + 3 < target.Length; i++, at += 4) (target[at], target[at + 1], target[at + 2], target[at + 3]) = ((byte)first[i], (byte)second[i], (byte)third[i], (byte)fourth[i]);
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
}
