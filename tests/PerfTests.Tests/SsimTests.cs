using PerfTests.Pictures;

namespace PerfTests.Tests;

public sealed class SsimTests
{
    private const int Width = 40, Height = 30;

    [Fact]
    public void Of_EqualPictures_IsOne() => Assert.Equal(1, Ssim.Of(Picture(0), Picture(0), Width, Height), 12);

    [Fact]
    public void Of_MoreNoise_IsLess()
    {
        var (little, much) = (Ssim.Of(Picture(0), Picture(4), Width, Height), Ssim.Of(Picture(0), Picture(40), Width, Height));
        Assert.InRange(much, 0.05, little - 0.1);
        Assert.InRange(little, 0.6, 0.9999);
    }

    /// <summary>Of two flat pictures only the means differ: (2ab + C1) / (a² + b² + C1), C1 = (0.01 · 255)².</summary>
    [Fact]
    public void Of_FlatPictures_IsTheFormula()
    {
        var (a, b) = (Enumerable.Repeat((byte)100, Width * Height * 3).ToArray(), Enumerable.Repeat((byte)150, Width * Height * 3).ToArray());
        Assert.Equal((2 * 100 * 150 + 6.5025) / (100 * 100 + 150 * 150 + 6.5025), Ssim.Of(a, b, Width, Height), 9);
    }

    private static byte[] Picture(int noise)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Width * Height).SelectMany(i => Enumerable.Repeat((byte)Math.Clamp(120 + 60 * Math.Sin(i % Width / 5.0) * Math.Cos(i / Width / 4.0) + noise * (random.NextDouble() - 0.5), 0, 255), 3))];
    }
}
