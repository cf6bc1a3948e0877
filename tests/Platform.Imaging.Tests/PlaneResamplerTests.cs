namespace Platform.Imaging.Tests;

public sealed class PlaneResamplerTests
{
    [Theory]
    [InlineData(PlaneFilter.Bilinear, 33, 7)]
    [InlineData(PlaneFilter.Bilinear, 100, 260)]
    [InlineData(PlaneFilter.Bicubic, 33, 7)]
    [InlineData(PlaneFilter.Bicubic, 640, 256)]
    [InlineData(PlaneFilter.Nearest, 5, 9)]
    public void Resample_Flat_StaysFlat(PlaneFilter filter, int from, int to)
    {
        var source = new float[from * 4];
        Array.Fill(source, -3.5f);
        var target = new float[to * 11];
        PlaneResampler.Resample(source, from, 4, target, to, 11, filter, CancellationToken.None);
        Assert.All(target, static value => Assert.Equal(-3.5f, value, 4));
    }

    [Theory]
    [InlineData(PlaneFilter.Bilinear, 64, 256)]
    [InlineData(PlaneFilter.Bicubic, 64, 256)]
    [InlineData(PlaneFilter.Bicubic, 256, 64)]
    [InlineData(PlaneFilter.Bilinear, 256, 96)]
    public void Resample_Ramp_IsTheRampAtTheCentres(PlaneFilter filter, int from, int to)
    {
        var source = Enumerable.Range(0, from * 3).Select(i => (i % from + 0.5f) / from).ToArray();
        var target = new float[to * 3];
        PlaneResampler.Resample(source, from, 3, target, to, 3, filter, CancellationToken.None);
        for (var x = to / 16; x < to - to / 16; x++) Assert.InRange(target[to + x], (x + 0.5f) / to - 0.001f, (x + 0.5f) / to + 0.001f);
    }

    [Fact]
    public void Resample_FineStripes_AverageWhenShrunk()
    {
        var source = Enumerable.Range(0, 240 * 240).Select(static i => (float)(i % 2)).ToArray();
        var target = new float[40 * 40];
        PlaneResampler.Resample(source, 240, 240, target, 40, 40, PlaneFilter.Bilinear, CancellationToken.None);
        for (var i = 0; i < 1600; i++) Assert.InRange(target[i], 0.4f, 0.6f);
    }

    [Fact]
    public void Resample_Labels_TakeTheOneTheirCentreLiesIn()
    {
        var target = new byte[4 * 4];
        PlaneResampler.Resample([1, 2, 3, 4], 2, 2, target, 4, 4);
        Assert.Equal([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4], target);
        var back = new byte[4];
        PlaneResampler.Resample(target, 4, 4, back, 2, 2);
        Assert.Equal([1, 2, 3, 4], back);
    }
}
