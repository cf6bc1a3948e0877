using System.Runtime.Intrinsics;

namespace Platform.Codecs.Jpeg2000;

/// <summary>The irreversible 9/7 wavelet, inverse only (T.800 F.3.8.1), in single precision. The level's samples are floats.</summary>
internal static unsafe class Wavelet97
{
    private const float Alpha = -1.586134342059924f, Beta = -0.052980118572961f, Gamma = 0.882911075530934f, Delta = 0.443506852043971f, K = 1.230174104914001f;

    public static void Inverse(in WaveletLevel level, CancellationToken cancellationToken)
    {
        int width = level.Width, height = level.Height, stride = level.ImageStride, parity = level.Y0 & 1;
        if (width == 0 || height == 0) return;
        var image = (float*)level.Image;
        for (var row = 0; row < height; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var i = (nint)(row >> 1);
            var at = image + (nint)row * stride;
            if (((row + parity) & 1) == 0) InverseRow(level, (float*)(level.LL + i * level.LLStride), (float*)(level.HL + i * level.HLStride), at);
            else InverseRow(level, (float*)(level.LH + i * level.LHStride), (float*)(level.HH + i * level.HHStride), at);
        }
        if (height == 1)
        {
            if (parity != 0) Scale(image, 0.5f, width);
            return;
        }
        for (var row = 0; row < height; row++) Scale(image + (nint)row * stride, ((row + parity) & 1) == 0 ? K : 1 / K, width);
        Lift(image, stride, width, height, parity, Delta);
        Lift(image, stride, width, height, 1 - parity, Gamma);
        Lift(image, stride, width, height, parity, Beta);
        Lift(image, stride, width, height, 1 - parity, Alpha);
    }

    private static void InverseRow(in WaveletLevel level, float* low, float* high, float* image)
    {
        int width = level.Width, parity = level.X0 & 1;
        if (width == 1)
        {
            image[0] = parity == 0 ? low[0] : high[0] / 2;
            return;
        }
        for (var i = 0; i < level.LowColumns; i++) image[2 * i + parity] = low[i] * K;
        for (var i = 0; i < level.HighColumns; i++) image[2 * i + 1 - parity] = high[i] * (1 / K);
        LiftRow(image, width, parity, Delta);
        LiftRow(image, width, 1 - parity, Gamma);
        LiftRow(image, width, parity, Beta);
        LiftRow(image, width, 1 - parity, Alpha);
    }

    // Beyond each end stands the neighbour inside: the symmetric extension (F.3.7).
    private static void LiftRow(float* row, int width, int first, float factor)
    {
        var x = first;
        if (x == 0)
        {
            row[0] -= factor * (row[1] + row[1]);
            x = 2;
        }
        for (; x + 1 < width; x += 2) row[x] -= factor * (row[x - 1] + row[x + 1]);
        if (x < width) row[x] -= factor * (row[x - 1] + row[x - 1]);
    }

    private static void Lift(float* image, int stride, int width, int height, int first, float factor)
    {
        for (var row = first; row < height; row += 2)
        {
            var at = image + (nint)row * stride;
            float* above = row > 0 ? at - stride : at + stride, below = row + 1 < height ? at + stride : at - stride;
            var x = 0;
            var factors = Vector256.Create(factor);
            for (; x + 8 <= width; x += 8) (Vector256.Load(at + x) - factors * (Vector256.Load(above + x) + Vector256.Load(below + x))).Store(at + x);
            for (; x < width; x++) at[x] -= factor * (above[x] + below[x]);
        }
    }

    private static void Scale(float* row, float factor, int width)
    {
        for (var x = 0; x < width; x++) row[x] *= factor;
    }
}
