using System.Net;
using System.Text.Json;
using ImageApi.Tests.Support;

namespace ImageApi.Tests.Manifest;

[Collection(StudiesCollection.Name)]
public sealed class ManifestApiTests(StudiesFixture studies)
{
    private readonly ImageApiHost _host = studies.Host;

    [Fact]
    public async Task GetManifest_Slices_DescribesTheSeriesOnce()
    {
        using var response = await _host.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest");
        Assert.Equal("application/json", response.Header("Content-Type"));
        var manifest = await response.JsonAsync();
        Assert.Matches("^[0-9a-f]{16}$", manifest.GetProperty("version").GetString());
        Assert.Equal(SyntheticStudies.Study, manifest.GetProperty("study").GetString());
        Assert.Equal(SyntheticStudies.Slices, manifest.GetProperty("series").GetString());
        Assert.Equal("CT", manifest.GetProperty("modality").GetString());
        Assert.Equal(1, manifest.GetProperty("number").GetInt32());
        Assert.Equal("slices", manifest.GetProperty("description").GetString());
        Assert.Equal("DOE^JANE", manifest.GetProperty("patient").GetProperty("name").GetString());
        Assert.Equal("19700101", manifest.GetProperty("patient").GetProperty("birthDate").GetString());
        Assert.Equal("20261120", manifest.GetProperty("studyDate").GetString());

        var geometry = manifest.GetProperty("geometry");
        Assert.Equal((16, 12), (geometry.GetProperty("rows").GetInt32(), geometry.GetProperty("columns").GetInt32()));
        Assert.Equal([0.5, 0.5], Numbers(geometry.GetProperty("pixelSpacing")));
        Assert.Equal([1, 0, 0, 0, 1, 0], Numbers(geometry.GetProperty("orientation")));
        Assert.Equal(1.25, geometry.GetProperty("spacing").GetDouble());
        Assert.True(geometry.GetProperty("isVolume").GetBoolean());

        var pixel = manifest.GetProperty("pixel");
        Assert.Equal(16, pixel.GetProperty("bitsAllocated").GetInt32());
        Assert.Equal(15, pixel.GetProperty("highBit").GetInt32());
        Assert.False(pixel.GetProperty("isSigned").GetBoolean());
        Assert.Equal("MONOCHROME2", pixel.GetProperty("photometric").GetString());
        Assert.Equal(1, pixel.GetProperty("slope").GetDouble());
        Assert.Equal((128, 256), (manifest.GetProperty("window").GetProperty("center").GetDouble(), manifest.GetProperty("window").GetProperty("width").GetDouble()));
        Assert.Equal("LINEAR", manifest.GetProperty("window").GetProperty("function").GetString());

        var frames = manifest.GetProperty("frames").EnumerateArray().ToArray();
        Assert.Equal(Enumerable.Range(1, SyntheticStudies.SliceCount).Select(n => $"{SyntheticStudies.Slices}.{n}"), frames.Select(f => f.GetProperty("instance").GetString()));
        Assert.All(frames, frame =>
        {
            Assert.Equal(1, frame.GetProperty("frame").GetInt32());
            Assert.Equal(384, frame.GetProperty("length").GetInt64());
            Assert.False(frame.TryGetProperty("geometry", out _));
            Assert.False(frame.TryGetProperty("pixel", out _));
            Assert.False(frame.TryGetProperty("window", out _));
        });
        Assert.Equal([0, 0, 1.25], Numbers(frames[0].GetProperty("position")));
    }

    [Theory]
    [InlineData(SyntheticStudies.Slices, 5)]
    [InlineData(SyntheticStudies.MultiFrame, 25)]
    [InlineData(SyntheticStudies.OtherSeries, 1)]
    public async Task GetManifest_EveryFrameUrl_AnswersAsItSays(string series, int count)
    {
        var manifest = await (await _host.SendAsync($"/api/series/{series}/manifest")).JsonAsync();
        var frames = manifest.GetProperty("frames");
        Assert.Equal(count, frames.GetArrayLength());
        foreach (var frame in frames.EnumerateArray())
        {
            using var response = await _host.SendAsync(frame.GetProperty("url").GetString()!, ("Accept", "application/octet-stream;transfer-syntax=*"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("public, max-age=2592000, immutable", response.Header("Cache-Control"));
            Assert.Equal($"application/octet-stream;transfer-syntax={frame.GetProperty("transferSyntax").GetString()}", response.Header("Content-Type"));
            if (frame.TryGetProperty("length", out var length))
                Assert.Equal(length.GetInt64(), response.Content.Headers.ContentLength);
        }
    }

    [Fact]
    public async Task GetManifest_WithoutPixels_ListsTheOthers()
    {
        var manifest = await (await _host.SendAsync($"/api/series/{SyntheticStudies.Reports}/manifest")).JsonAsync();
        Assert.Equal(0, manifest.GetProperty("frames").GetArrayLength());
        var other = Assert.Single(manifest.GetProperty("others").EnumerateArray());
        Assert.Equal("1.2.840.10008.5.1.4.1.1.88.11", other.GetProperty("sopClass").GetString());
    }

    [Theory]
    [InlineData("/api/series/2.25.9/manifest", HttpStatusCode.NotFound)]
    [InlineData("/api/series/hello/manifest", HttpStatusCode.BadRequest)]
    [InlineData("/api/series/2.25.1000.1/manifest?v=0000000000000000", HttpStatusCode.NotFound)]
    public async Task GetManifest_WrongSeriesOrVersion_IsAProblem(string path, HttpStatusCode status)
    {
        using var response = await _host.SendAsync(path);
        await ProblemAnswer.AssertAsync(response, status);
    }

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];
}
