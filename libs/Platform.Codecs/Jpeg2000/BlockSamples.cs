using System.Runtime.Intrinsics;

namespace Platform.Codecs.Jpeg2000;

/// <summary>From what block decoders give (sign, magnitude in halves) to the wavelet's coefficients.</summary>
internal static unsafe class BlockSamples
{
    /// <summary>Coefficients of the reversible wavelet: the magnitude rounded down to whole numbers.</summary>
    public static void ToIntegers(ReadOnlySpan<uint> samples, int stride, int* target, int targetStride, int width, int height)
    {
        fixed (uint* from = samples)
        {
            for (var y = 0; y < height; y++)
            {
                int* row = (int*)from + y * stride, to = target + (long)y * targetStride;
                var x = 0;
                for (; x + 8 <= width; x += 8)
                {
                    var value = Vector256.Load(row + x);
                    var sign = value >> 31;
                    ((((value & Vector256.Create(int.MaxValue)) >> 1) ^ sign) - sign).Store(to + x);
                }
                for (; x < width; x++)
                {
                    var sign = row[x] >> 31;
                    to[x] = (((row[x] & int.MaxValue) >> 1) ^ sign) - sign;
                }
            }
        }
    }

    /// <summary>Coefficients of the irreversible wavelet: <paramref name="step"/> is what one is worth (T.800 E.1.1.2, with r = 1/2).</summary>
    public static void ToFloats(ReadOnlySpan<uint> samples, int stride, float* target, int targetStride, int width, int height, float step)
    {
        step *= 0.5f;
        for (var y = 0; y < height; y++)
        {
            var row = samples.Slice(y * stride, width);
            var to = target + (long)y * targetStride;
            for (var x = 0; x < row.Length; x++)
            {
                var magnitude = (int)(row[x] & int.MaxValue) * step;
                to[x] = (int)row[x] < 0 ? -magnitude : magnitude;
            }
        }
    }
}
