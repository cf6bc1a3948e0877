namespace PerfTests.Pictures;

/// <summary>
/// Structural similarity of two pictures' luminance (Wang, Bovik, Sheikh, Simoncelli 2004): means, variances and covariance under a Gaussian of 11 x 11 pixels
/// with a deviation of 1.5; the mean over all places where it fits. 1 for equal pictures.
/// </summary>
internal static class Ssim
{
    private const int Size = 11;
    private const double Deviation = 1.5, C1 = 0.01 * 255 * 0.01 * 255, C2 = 0.03 * 255 * 0.03 * 255;

    private static readonly double[] Weights = MakeWeights();

    /// <summary>Compares.</summary>
    /// <param name="a">Red, green, blue, 3 bytes per pixel.</param>
    /// <param name="b">Likewise, of the same size.</param>
    /// <param name="width">At least 11.</param>
    /// <param name="height">At least 11.</param>
    public static double Of(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int width, int height)
    {
        var (x, y) = (Luminance(a), Luminance(b));
        var count = width * height;
        var (xx, yy, xy) = (new double[count], new double[count], new double[count]);
        for (var i = 0; i < count; i++) (xx[i], yy[i], xy[i]) = (x[i] * x[i], y[i] * y[i], x[i] * y[i]);
        var (meanX, meanY) = (Blur(x, width, height), Blur(y, width, height));
        var (meanXx, meanYy, meanXy) = (Blur(xx, width, height), Blur(yy, width, height), Blur(xy, width, height));
        double sum = 0;
        for (var i = 0; i < meanX.Length; i++)
        {
            double mx = meanX[i], my = meanY[i];
            double varX = meanXx[i] - mx * mx, varY = meanYy[i] - my * my, cov = meanXy[i] - mx * my;
            sum += (2 * mx * my + C1) * (2 * cov + C2) / ((mx * mx + my * my + C1) * (varX + varY + C2));
        }
        return sum / meanX.Length;
    }

    private static double[] Luminance(ReadOnlySpan<byte> rgb)
    {
        var luma = new double[rgb.Length / 3];
        for (var i = 0; i < luma.Length; i++) luma[i] = 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
        return luma;
    }

    private static double[] Blur(double[] values, int width, int height)
    {
        int across = width - Size + 1, down = height - Size + 1;
        var rows = new double[across * height];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < across; x++)
            {
                double sum = 0;
                for (var k = 0; k < Size; k++) sum += Weights[k] * values[y * width + x + k];
                rows[y * across + x] = sum;
            }
        }
        var blurred = new double[across * down];
        for (var y = 0; y < down; y++)
        {
            for (var x = 0; x < across; x++)
            {
                double sum = 0;
                for (var k = 0; k < Size; k++) sum += Weights[k] * rows[(y + k) * across + x];
                blurred[y * across + x] = sum;
            }
        }
        return blurred;
    }

    private static double[] MakeWeights()
    {
        var weights = new double[Size];
        for (var i = 0; i < Size; i++) weights[i] = Math.Exp(-(i - Size / 2) * (i - Size / 2) / (2 * Deviation * Deviation));
        var total = weights.Sum();
        return [.. weights.Select(weight => weight / total)];
    }
}
