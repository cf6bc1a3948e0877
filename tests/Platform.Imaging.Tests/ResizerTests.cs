namespace Platform.Imaging.Tests;

public sealed class ResizerTests
{
    [Theory]
    [InlineData(512, 512, 128, 128, 128, 128)]
    [InlineData(1760, 880, 128, 128, 128, 64)]
    [InlineData(30, 20, 128, 128, 30, 20)]
    [InlineData(5000, 1, 100, 100, 100, 1)]
    public void Fit_Box_KeepsTheShapeAndNeverEnlarges(int width, int height, int maxWidth, int maxHeight, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), Resizer.Fit(width, height, maxWidth, maxHeight));

    [Theory]
    [InlineData(100, 80, 1, 33, 27)]
    [InlineData(100, 80, 3, 250, 3)]
    [InlineData(1, 1, 3, 7, 5)]
    [InlineData(3, 700, 1, 2, 9)]
    public void Resize_FlatPicture_StaysFlat(int width, int height, int channels, int targetWidth, int targetHeight)
    {
        var source = new byte[width * height * channels];
        for (var i = 0; i < source.Length; i++) source[i] = (byte)(77 + 60 * (i % channels));
        var target = new byte[targetWidth * targetHeight * channels];
        Resizer.Resize(source, width, height, channels, target, targetWidth, targetHeight, CancellationToken.None);
        for (var i = 0; i < target.Length; i++) Assert.Equal(77 + 60 * (i % channels), target[i]);
    }

    [Fact]
    public void Resize_FineStripes_BecomeGreyAndDoNotAlias()
    {
        var source = new byte[240 * 240];
        for (var i = 0; i < source.Length; i++) source[i] = (byte)(i % 240 % 2 == 0 ? 0 : 255);
        var target = new byte[50 * 50];
        Resizer.Resize(source, 240, 240, 1, target, 50, 50, CancellationToken.None);
        for (var y = 5; y < 45; y++)
        {
            for (var x = 5; x < 45; x++) Assert.InRange(target[y * 50 + x], 117, 138);
        }
    }

    [Fact]
    public void Resize_Ramp_StaysARamp()
    {
        var source = new byte[256 * 4];
        for (var i = 0; i < source.Length; i++) source[i] = (byte)(i % 256);
        var target = new byte[64 * 4];
        Resizer.Resize(source, 256, 4, 1, target, 64, 4, CancellationToken.None);
        for (var x = 4; x < 60; x++) Assert.InRange(target[x], 4 * x, 4 * x + 3);
    }

    [Theory]
    [InlineData(8, 6, 1)]
    [InlineData(9, 7, 3)]
    [InlineData(1, 5, 3)]
    [InlineData(4, 1, 1)]
    public void Halve_AnySize_IsTheMeanOfWhatThereIs(int width, int height, int channels)
    {
        var source = new byte[width * height * channels];
        new Random(3).NextBytes(source);
        var (halfWidth, halfHeight) = ((width + 1) / 2, (height + 1) / 2);
        var half = new byte[halfWidth * halfHeight * channels];
        Resizer.Halve(source, width, height, channels, half, CancellationToken.None);
        for (var i = 0; i < half.Length; i++)
        {
            var (x, y, channel) = (i / channels % halfWidth, i / channels / halfWidth, i % channels);
            int[] those = [.. from dy in new[] { 0, 1 } from dx in new[] { 0, 1 } where 2 * x + dx < width && 2 * y + dy < height select (int)source[((2 * y + dy) * width + 2 * x + dx) * channels + channel]];
            Assert.Equal((those.Sum() + those.Length / 2) / those.Length, half[i]);
        }
    }
}
