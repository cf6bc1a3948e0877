using ImageApi.Demo;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.Demo;

public sealed class PhantomSlideTests
{
    [Fact]
    public async Task Make_IntoAFolder_IsASlideWithFourLevelsLabelAndOverview()
    {
        var slide = new PhantomSlide();
        var instances = slide.Make(CancellationToken.None).ToList();
        Assert.Equal(PhantomSlide.InstanceCount, instances.Count);
        Assert.InRange(instances.Sum(static instance => instance.Length), 500_000, 5_000_000);
        await using var host = await ImageApiHost.StartAsync(folder =>
        {
            for (var i = 0; i < instances.Count; i++) File.WriteAllBytes(Path.Combine(folder, $"{i}.dcm"), instances[i].ToArray());
        });
        var described = await (await host.SendAsync($"/api/dicom/{slide.StudyUid}/slide")).JsonAsync();
        Assert.Equal((PhantomTissue.Width, PhantomTissue.Height), (described.GetProperty("width").GetInt32(), described.GetProperty("height").GetInt32()));
        Assert.Equal([false, true, true, true, true], described.GetProperty("levels").EnumerateArray().Select(level => level.GetProperty("isStored").GetBoolean()));
        Assert.Equal(2, described.GetProperty("associated").GetArrayLength());
        Assert.Equal(0.0005, described.GetProperty("spacing").GetProperty("x").GetDouble());
        using var tile = await host.SendAsync($"/api/dicom/{slide.StudyUid}/tiles/4/5/4");
        var bytes = await tile.Content.ReadAsByteArrayAsync();
        Assert.InRange(bytes.Length, 4_000, 60_000);   // cells, not a flat colour
    }

    [Fact]
    public void Make_Twice_GivesTheSameBytes()
    {
        var (first, second) = (new PhantomSlide().Make(CancellationToken.None).First(), new PhantomSlide().Make(CancellationToken.None).First());
        Assert.True(first.Span.SequenceEqual(second.Span));
    }
}
