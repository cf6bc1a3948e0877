namespace Platform.Imaging.Tests;

public sealed class SlidingWindowTests
{
    /// <summary>A model that says the same of a voxel in whatever window it sees it: blending must give just that, wherever windows meet.</summary>
    [Theory]
    [InlineData(1, 9, 11, 1, 9, 11, 0)]
    [InlineData(7, 20, 13, 1, 8, 8, 0.5)]
    [InlineData(17, 12, 15, 4, 8, 8, 0.25)]
    [InlineData(10, 6, 5, 3, 8, 8, 0.5)]
    [InlineData(3, 30, 9, 8, 16, 16, 0.7)]
    public void Run_LocalModel_GivesItsAnswerEverywhere(int depth, int height, int width, int windowDepth, int windowHeight, int windowWidth, double overlap)
    {
        var volume = new VolumeSize(depth, height, width);
        var random = new Random(4);
        var voxels = new float[volume.Voxels];
        for (var i = 0; i < voxels.Length; i++) voxels[i] = random.Next(0, 3);

        var labels = Run(volume, new VolumeSize(windowDepth, windowHeight, windowWidth), overlap, 3, voxels, static (value, c) => value == c ? 0.8f : 0.1f, out var confidence);

        Assert.Equal(voxels.Select(static value => (byte)value), labels);
        Assert.All(confidence, static value => Assert.Equal(0.8f, value, 4));
    }

    [Fact]
    public void Run_OneClass_IsCutAtTheThreshold()
    {
        var voxels = Enumerable.Range(0, 100).Select(static i => i / 100f).ToArray();
        var labels = Run(new VolumeSize(1, 10, 10), new VolumeSize(1, 4, 4), 0.5, 1, voxels, static (value, _) => value, out _);
        Assert.Equal(voxels.Select(static value => (byte)(value > 0.495f ? 1 : 0)), labels);
    }

    [Fact]
    public void Places_AnyVolume_CoverItAndStayInside()
    {
        using var windows = new SlidingWindow(new VolumeSize(50, 101, 64), new VolumeSize(16, 32, 64), 0.5, 1);
        Assert.Equal(new WindowPlace(0, 0, 0), windows.Places[0]);
        Assert.Equal(new WindowPlace(34, 69, 0), windows.Places[^1]);
        var rows = windows.Places.Select(static place => place.Row).Distinct().Order().ToArray();
        Assert.All(rows.Zip(rows.Skip(1)), static pair => Assert.InRange(pair.Second - pair.First, 1, 16));
    }

    [Fact]
    public void Add_BeforeFinishedPlanesAreTaken_IsRefused()
    {
        using var windows = new SlidingWindow(new VolumeSize(4, 2, 2), new VolumeSize(1, 2, 2), 0, 1);
        windows.Add(windows.Places[0], new float[4]);
        Assert.Throws<InvalidOperationException>(() => windows.Add(windows.Places[1], new float[4]));
    }

    private static byte[] Run(VolumeSize volume, VolumeSize window, double overlap, int classes, float[] voxels, Func<float, int, float> model, out float[] confidence)
    {
        using var windows = new SlidingWindow(volume, window, overlap, classes);
        var labels = new byte[volume.Voxels];
        confidence = new float[volume.Voxels];
        var plane = volume.Height * volume.Width;
        var cut = new float[window.Voxels];
        var scores = new float[window.Voxels * classes];
        var taken = 0;
        for (var i = 0; i < windows.Places.Count; i++)
        {
            windows.Cut(voxels, windows.Places[i], -1, cut);
            for (var c = 0; c < classes; c++)
            {
                for (var v = 0; v < cut.Length; v++) scores[c * cut.Length + v] = cut[v] < 0 ? 9 : model(cut[v], c);
            }

            windows.Add(windows.Places[i], scores);
            WindowPlace? next = i + 1 < windows.Places.Count ? windows.Places[i + 1] : null;
            while (windows.TryTake(next, labels.AsSpan(taken * plane, Math.Min(plane, labels.Length - taken * plane)), 0.495f, confidence.AsSpan(taken * plane), out var slice)) Assert.Equal(taken++, slice);
        }

        Assert.Equal(volume.Depth, taken);
        return labels;
    }
}
