using System.Net;
using System.Text.Json;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Volumes;

public sealed class VolumesApiTests(VolumesFixture volumes) : IClassFixture<VolumesFixture>
{
    private readonly ImageApiHost _host = volumes.Host;

    [Fact]
    public async Task List_FolderWithVolumes_NamesThemAndNothingElse()
    {
        using var response = await _host.SendAsync("/api/volumes");
        var page = await response.JsonAsync();

        Assert.Equal(["bad.nii", "deep/pair.hdr", "deep/sp ace.nii.gz", "head.nii.gz", "short.nii"], Paths(page));
        Assert.Equal(5, page.GetProperty("total").GetInt32());
        var head = Volume(page, "head.nii.gz");
        Assert.Equal(("test", "head.nii.gz", "/files/test/head.nii.gz"), (head.GetProperty("origin").GetString(), head.GetProperty("name").GetString(), head.GetProperty("file").GetString()));
        Assert.Equal(VolumesFixture.Head.Length, head.GetProperty("bytes").GetInt64());
        Assert.Equal("/files/test/deep/sp%20ace.nii.gz", Volume(page, "deep/sp ace.nii.gz").GetProperty("file").GetString());
        Assert.Equal(0, page.GetProperty("missing").GetArrayLength());
        Assert.Equal("public, no-cache", response.Header("Cache-Control"));

        using var again = await _host.SendAsync("/api/volumes", ("If-None-Match", response.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Fact]
    public async Task List_Pages_AreParts()
    {
        using var response = await _host.SendAsync("/api/volumes?offset=1&limit=2");
        Assert.Equal(["deep/pair.hdr", "deep/sp ace.nii.gz"], Paths(await response.JsonAsync()));
        using var beyond = await _host.SendAsync("/api/volumes?offset=100");
        Assert.Empty(Paths(await beyond.JsonAsync()));
        foreach (var query in new[] { "offset=-1", "limit=0", "limit=1001", "limit=x" })
        {
            using var refused = await _host.SendAsync("/api/volumes?" + query);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Fact]
    public async Task List_VolumeThatWasDescribed_TellsItsGeometry()
    {
        using var described = await _host.SendAsync("/api/volumes/test/head.nii.gz?fields=geometry");
        var version = (await described.JsonAsync()).GetProperty("version").GetString();
        using var response = await _host.SendAsync("/api/volumes");
        var head = Volume(await response.JsonAsync(), "head.nii.gz");

        Assert.Equal($"/api/volumes/test/head.nii.gz?v={version}", head.GetProperty("url").GetString());
        Assert.Equal([20, 30, 40], head.GetProperty("geometry").GetProperty("sizes").EnumerateArray().Select(static n => n.GetInt32()));
        Assert.Equal("int16", head.GetProperty("type").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Get_Volume_TellsGeometryTypeAndValues()
    {
        using var response = await _host.SendAsync("/api/volumes/test/head.nii.gz");
        var volume = await response.JsonAsync();

        Assert.Equal("application/json", response.Header("Content-Type"));
        Assert.Equal(("nifti1", true, false), (volume.GetProperty("format").GetString(), volume.GetProperty("isCompressed").GetBoolean(), volume.GetProperty("isBigEndian").GetBoolean()));
        var geometry = volume.GetProperty("geometry");
        Assert.Equal([20, 30, 40], Numbers(geometry.GetProperty("sizes")));
        Assert.Equal([1, 1.5, 2], Numbers(geometry.GetProperty("spacingMm")));
        Assert.Equal([0, -1, 0, 10], Numbers(geometry.GetProperty("affine")[0]));
        Assert.Equal(("ALS", "sform", "alignedAnatomical"), (geometry.GetProperty("orientation").GetString(), geometry.GetProperty("orientationSource").GetString(), geometry.GetProperty("space").GetString()));
        Assert.Equal((2, -1000), (volume.GetProperty("type").GetProperty("slope").GetDouble(), volume.GetProperty("type").GetProperty("intercept").GetDouble()));
        var values = volume.GetProperty("values");
        Assert.Equal((-1000, -1000 + 2 * 23_999, 24_000), (values.GetProperty("min").GetDouble(), values.GetProperty("max").GetDouble(), values.GetProperty("count").GetInt64()));
        Assert.Equal((-1000 + 2 * 479, -1000 + 2 * 23_519), (values.GetProperty("low").GetDouble(), values.GetProperty("high").GetDouble()));
    }

    [Fact]
    public async Task Get_GeometryAlone_LeavesTheValuesOut()
    {
        using var response = await _host.SendAsync("/api/volumes/test/deep/sp%20ace.nii.gz?fields=geometry");
        var volume = await response.JsonAsync();
        Assert.False(volume.TryGetProperty("values", out _));
        Assert.Equal(("deep/sp ace.nii.gz", "none"), (volume.GetProperty("path").GetString(), volume.GetProperty("geometry").GetProperty("orientationSource").GetString()));
    }

    [Fact]
    public async Task Get_Pair_ReadsBothFiles()
    {
        using var response = await _host.SendAsync("/api/volumes/test/deep/pair.hdr");
        var volume = await response.JsonAsync();
        Assert.Equal("/files/test/deep/pair.img", volume.GetProperty("image").GetString());
        Assert.Equal(119, volume.GetProperty("values").GetProperty("max").GetDouble());
        Assert.Equal(348 + 240, volume.GetProperty("bytes").GetInt64());
    }

    /// <summary>Made once: the second answer comes from memory, and from there also when asked for by its version.</summary>
    [Fact]
    public async Task Get_Again_ComesFromMemory()
    {
        using var first = await _host.SendAsync("/api/volumes/test/deep/sp%20ace.nii.gz");
        var version = (await first.JsonAsync()).GetProperty("version").GetString();
        using var second = await _host.SendAsync($"/api/volumes/test/deep/sp%20ace.nii.gz?v={version}");

        Assert.StartsWith("platform; fwd=miss", first.Header("Cache-Status"));
        Assert.Equal("platform; hit; detail=memory", second.Header("Cache-Status"));
        Assert.Equal("public, max-age=2592000, immutable", second.Header("Cache-Control"));
        Assert.Equal(first.Header("ETag"), second.Header("ETag"));
        using var notModified = await _host.SendAsync("/api/volumes/test/deep/sp%20ace.nii.gz", ("If-None-Match", first.Header("ETag")!));
        Assert.Equal(HttpStatusCode.NotModified, notModified.StatusCode);
        using var stale = await _host.SendAsync("/api/volumes/test/deep/sp%20ace.nii.gz?v=0123456789abcdef");
        Assert.Equal(version, (await ProblemAnswer.AssertAsync(stale, HttpStatusCode.NotFound, "urn:platform:problem:stale-version")).GetProperty("current").GetString());
    }

    [Fact]
    public async Task Get_FileChanges_TellsOfTheNewOne()
    {
        await using var host = await ImageApiHost.StartAsync(static folder => File.WriteAllBytes(Path.Combine(folder, "v.nii"), new NiftiBuilder().Build()));
        using var first = await host.SendAsync("/api/volumes/test/v.nii");
        await File.WriteAllBytesAsync(Path.Combine(host.Folder.Path, "data", "v.nii"), new NiftiBuilder { Slope = 3 }.Build());
        using var second = await host.SendAsync("/api/volumes/test/v.nii");

        Assert.Equal(119, (await first.JsonAsync()).GetProperty("values").GetProperty("max").GetDouble());
        Assert.Equal(357, (await second.JsonAsync()).GetProperty("values").GetProperty("max").GetDouble());
        Assert.NotEqual(first.Header("ETag"), second.Header("ETag"));
    }

    [Theory]
    [InlineData("/api/volumes/test/none.nii", HttpStatusCode.NotFound, "not-found")]
    [InlineData("/api/volumes/other/head.nii.gz", HttpStatusCode.NotFound, "not-found")]
    [InlineData("/api/volumes/store/head.nii.gz", HttpStatusCode.NotFound, "not-found")]
    [InlineData("/api/volumes/test/notes.txt", HttpStatusCode.NotFound, "not-found")]
    [InlineData("/api/volumes/test/..%2Fsecret.nii", HttpStatusCode.NotFound, "not-found")]
    [InlineData("/api/volumes/test/bad.nii", HttpStatusCode.UnprocessableEntity, "broken-volume")]
    [InlineData("/api/volumes/test/short.nii", HttpStatusCode.UnprocessableEntity, "broken-volume")]
    public async Task Get_NoVolume_IsAProblem(string path, HttpStatusCode status, string type)
    {
        using var response = await _host.SendAsync(path);
        await ProblemAnswer.AssertAsync(response, status, "urn:platform:problem:" + type);
    }

    /// <summary>The bytes of volumes are files; what else lies in a folder is not.</summary>
    [Fact]
    public async Task GetFile_OfAFolder_IsAVolumeOrNothing()
    {
        using var volume = await _host.SendAsync("/files/test/head.nii.gz", ("Range", "bytes=0-1"));
        Assert.Equal(HttpStatusCode.PartialContent, volume.StatusCode);
        Assert.Equal([0x1F, 0x8B], await volume.Content.ReadAsByteArrayAsync());
        using var image = await _host.SendAsync("/files/test/deep/pair.img");
        Assert.Equal(HttpStatusCode.OK, image.StatusCode);
        using var notes = await _host.SendAsync("/files/test/notes.txt");
        Assert.Equal(HttpStatusCode.NotFound, notes.StatusCode);
    }

    /// <summary>No text of a header goes out: it may name a patient.</summary>
    [Fact]
    public async Task Get_HeaderWithText_DoesNotSayIt()
    {
        foreach (var query in new[] { "", "?fields=geometry" })
        {
            using var response = await _host.SendAsync("/api/volumes/test/head.nii.gz" + query);
            Assert.DoesNotContain("DOE", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }
    }

    private static IEnumerable<string?> Paths(JsonElement page) => page.GetProperty("volumes").EnumerateArray().Select(static volume => volume.GetProperty("path").GetString());

    private static JsonElement Volume(JsonElement page, string path) => page.GetProperty("volumes").EnumerateArray().Single(volume => volume.GetProperty("path").GetString() == path);

    private static IEnumerable<double> Numbers(JsonElement array) => array.EnumerateArray().Select(static n => n.GetDouble());
}

/// <summary>A service over a folder of volumes, sound and broken, and of what is none.</summary>
public sealed class VolumesFixture : IAsyncLifetime
{
    internal static byte[] Head { get; } = new NiftiBuilder
    {
        Sizes = [20, 30, 40],
        Spacing = [1, 1.5, 2],
        Slope = 2,
        Intercept = -1000,
        SForm = [0, -1, 0, 10, 1.5, 0, 0, 20, 0, 0, 2, 30],
    }.Set(148, BitConverter.ToInt32("DOE^"u8)).BuildGzip();

    internal ImageApiHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await ImageApiHost.StartAsync(static folder =>
    {
        Directory.CreateDirectory(Path.Combine(folder, "deep"));
        void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(folder, name), bytes);
        var pair = new NiftiBuilder { IsPair = true };
        Write("head.nii.gz", Head);
        Write("deep/sp ace.nii.gz", new NiftiBuilder { Version = 2, IsBigEndian = true }.BuildGzip());
        Write("deep/pair.hdr", pair.BuildHeader());
        Write("deep/pair.img", pair.BuildVoxels());
        Write("bad.nii", new byte[1000]);
        Write("short.nii", new NiftiBuilder { Voxels = new byte[10] }.Build());
        Write("notes.txt", "no volume"u8.ToArray());
        File.WriteAllBytes(Path.Combine(folder, "..", "secret.nii"), new NiftiBuilder().Build());
    });

    public async Task DisposeAsync() => await Host.DisposeAsync();
}
