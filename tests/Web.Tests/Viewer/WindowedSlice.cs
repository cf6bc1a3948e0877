using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>What the screen must show of <see cref="SyntheticStudies.CtSeries"/>: stored value, rescale, then the window (PS3.3 C.11.2.1.2).</summary>
internal static class WindowedSlice
{
    /// <summary>The window that the slices carry.</summary>
    public static readonly (double Center, double Width) Stored = (600, 2400);

    /// <summary>Grey level 0..255 of a pixel.</summary>
    public static double Grey(int slice, int row, int column, (double Center, double Width) window)
    {
        var value = SyntheticStudies.StoredValue(slice, row, column) + SyntheticStudies.RescaleIntercept;
        var lower = window.Center - 0.5 - (window.Width - 1) / 2;
        var upper = window.Center - 0.5 + (window.Width - 1) / 2;
        return Math.Clamp((value - lower) / (upper - lower), 0, 1) * 255;
    }

    /// <summary>Every pixel whose neighbours are like it: there, interpolation changes nothing.</summary>
    public static IReadOnlyList<(int Row, int Column)> FlatPixels(int slice)
    {
        var pixels = new List<(int, int)>();
        for (var row = 1; row < SyntheticStudies.Rows - 1; row++)
            for (var column = 1; column < SyntheticStudies.Columns - 1; column++)
            {
                var value = SyntheticStudies.StoredValue(slice, row, column);
                var isFlat = true;
                for (var y = -1; y <= 1; y++)
                    for (var x = -1; x <= 1; x++)
                        isFlat &= SyntheticStudies.StoredValue(slice, row + y, column + x) == value;
                if (isFlat) pixels.Add((row, column));
            }

        return pixels;
    }

    /// <summary>
    /// Fails unless the canvas shows <paramref name="slice"/> through <paramref name="window"/>, to two grey levels of 256, now or within a few seconds: the
    /// software renderer of a busy machine may draw later than it says.
    /// </summary>
    public static async Task AssertShownAsync(ViewerPage viewer, int slice, (double Center, double Width)? window = null, bool isInverted = false)
    {
        const int tries = 50;
        for (var i = 1; ; i++)
        {
            try
            {
                await AssertShownNowAsync(viewer, slice, window, isInverted);
                return;
            }
            catch (Xunit.Sdk.XunitException) when (i < tries)
            {
                await Task.Delay(100);
            }
        }
    }

    private static async Task AssertShownNowAsync(ViewerPage viewer, int slice, (double Center, double Width)? window, bool isInverted)
    {
        var pixels = FlatPixels(slice);
        Assert.True(pixels.Count > 10_000);
        var colors = await viewer.ColorsAtAsync(pixels);
        for (var i = 0; i < pixels.Count; i++)
        {
            var grey = Grey(slice, pixels[i].Row, pixels[i].Column, window ?? Stored);
            var expected = isInverted ? 255 - grey : grey;
            Assert.All(colors[i], sample => Assert.InRange(sample, expected - 2, expected + 2));
        }
    }
}
