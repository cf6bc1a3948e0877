using System.Buffers;
using System.Security.Cryptography;
using ImageApi.Demo;
using ImageApi.Tests.Support;
using Platform.Dicom;

namespace ImageApi.Tests.Demo;

public sealed class PhantomSeriesTests
{
    [Fact]
    public void Write_EqualSeeds_GiveEqualBytes()
    {
        var (first, second, other) = (Write(new PhantomSeries(3), 120), Write(new PhantomSeries(3), 120), Write(new PhantomSeries(4), 120));
        Assert.Equal(SHA256.HashData(first), SHA256.HashData(second));
        Assert.NotEqual(SHA256.HashData(first), SHA256.HashData(other));
    }

    [Fact]
    public void Write_ASlice_SaysThatItIsSynthetic()
    {
        using var file = DicomFile.Read(Write(new PhantomSeries(), 100));
        Assert.StartsWith("PHANTOM^CT", file.Dataset.GetString(DicomTags.PatientName), StringComparison.Ordinal);
        Assert.Contains("Synthetic", file.Dataset.GetString(DicomTags.StudyDescription), StringComparison.Ordinal);
        Assert.Equal("YES", file.Dataset.GetString(DicomTags.QualityControlSubject));
        foreach (var tag in new[] { DicomTags.StudyInstanceUID, DicomTags.SeriesInstanceUID, DicomTags.SOPInstanceUID })
            Assert.StartsWith("2.25.", file.Dataset.GetString(tag), StringComparison.Ordinal);
        Assert.Equal(512 * 512 * 2, file.PixelData?.Length);
    }

    [Fact]
    public void Paint_Slices_HoldTheTissuesThatLieThere()
    {
        var series = new PhantomSeries();
        Assert.InRange(MeanAround(series, 24, 256 + 30, 256), 15, 50);          // brain
        Assert.InRange(MeanAround(series, 150, 256 - 93, 256), -950, -700);     // right lung
        Assert.InRange(MeanAround(series, 163, 256 + 45, 256 - 30), 60, 200);   // heart, on the left
        Assert.InRange(MeanAround(series, 196, 256 - 60, 256), 60, 150);        // liver, on the right
        Assert.InRange(MeanAround(series, 100, 20, 20), -1024, -980);           // air
    }

    [Fact]
    public void Paint_NoiseOfNeighbours_IsTheirOwn()
    {
        var series = new PhantomSeries();
        var first = series.Paint(150).ToArray();
        var second = series.Paint(151).ToArray();

        // In the liver's or heart's flat places the difference of two slices is noise; were it shared it would vanish.
        double sum = 0;
        var count = 0;
        for (var i = 0; i < first.Length; i++)
        {
            if (first[i] is < -40 or > 160 || second[i] is < -40 or > 160) continue;
            sum += Math.Pow(first[i] - second[i], 2);
            count++;
        }
        Assert.InRange(Math.Sqrt(sum / count), 8, 60);
    }

    [Fact]
    public async Task Demo_EmptyStore_GetsTheStudy()
    {
        await using var host = await ImageApiHost.StartAsync(_ => { }, ("ImageApi:Demo:Enabled", "true"));
        for (var waited = 0; await CountAsync(host) < PhantomSeries.SliceCount; waited++)
        {
            Assert.True(waited < 900, "The demo study was not made in 90 s.");
            await Task.Delay(100);
        }
        var manifest = await (await host.SendAsync($"/api/series/{new PhantomSeries().SeriesUid}/manifest")).JsonAsync();
        Assert.True(manifest.GetProperty("geometry").GetProperty("isVolume").GetBoolean());
        Assert.Equal(PhantomSeries.SliceCount, manifest.GetProperty("frames").GetArrayLength());
    }

    [Fact]
    public async Task Demo_SomethingIsThere_IsNotMade()
    {
        await using var host = await ImageApiHost.StartAsync(data => new Platform.Tests.Shared.DicomBuilder().Save(Path.Combine(data, "1.dcm")), ("ImageApi:Demo:Enabled", "true"));
        await Task.Delay(3000); // in an empty store the first slices can be found by now
        Assert.Equal(1, await CountAsync(host));
    }

    private static async Task<int> CountAsync(ImageApiHost host)
    {
        using var response = await host.SendAsync("/dicomweb/instances?limit=1");
        return int.Parse(response.Header("X-Total-Count")!, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static byte[] Write(PhantomSeries series, int slice)
    {
        var bytes = new ArrayBufferWriter<byte>();
        series.Write(bytes, slice);
        return bytes.WrittenSpan.ToArray();
    }

    private static double MeanAround(PhantomSeries series, int slice, int column, int row)
    {
        var pixels = series.Paint(slice);
        double sum = 0;
        for (var y = -3; y <= 3; y++)
        {
            for (var x = -3; x <= 3; x++) sum += pixels[((row + y) * PhantomCanvas.Size) + column + x];
        }
        return sum / 49;
    }
}
