using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Platform.Nifti;

namespace DemoFiles.Tests;

public sealed class DemoFilesApiTests
{
    [Fact]
    public async Task GetFile_Volume_IsNifti()
    {
        await using var server = new Server();
        using var client = server.CreateClient();

        var plain = await client.GetByteArrayAsync("/head-t1.nii");
        var packed = await client.GetByteArrayAsync("/head-t1.nii.gz");

        foreach (var bytes in new[] { plain, packed })
        {
            var volume = await NiftiVolume.OpenAsync(NiftiSource.FromMemory(bytes), null, null, CancellationToken.None);
            Assert.Equal(new long[] { 32, 32, 20 }, volume.Header.Dimensions);
            Assert.Equal(("RAS", NiftiDataType.Int16), (volume.Header.Orientation, volume.Header.DataType));
            var range = await volume.MeasureAsync(null, CancellationToken.None);
            // Air, and fat as the brightest there is.
            Assert.InRange(range!.Min, 0, 10);
            Assert.InRange(range.High, 700, 1000);
        }
        Assert.Equal(352 + 32 * 32 * 20 * 2, plain.Length);
        Assert.True(packed.Length < plain.Length * 0.9);
        Assert.Equal(plain, HeadPhantom.Make(32, 20));
    }

    [Fact]
    public async Task GetIndex_Listing_IsNginxs()
    {
        await using var server = new Server();
        using var client = server.CreateClient();
        var list = JsonDocument.Parse(await client.GetByteArrayAsync("/index.json")).RootElement;

        Assert.Equal(["head-t1.nii", "head-t1.nii.gz"], list.EnumerateArray().Select(static file => file.GetProperty("name").GetString()));
        Assert.Equal(("file", 352 + 32 * 32 * 20 * 2), (list[0].GetProperty("type").GetString(), list[0].GetProperty("size").GetInt32()));
        Assert.Equal("Fri, 20 Nov 2026 00:00:00 GMT", list[0].GetProperty("mtime").GetString());
    }

    [Fact]
    public async Task GetFile_RangesAndConditions_AreKept()
    {
        await using var server = new Server();
        using var client = server.CreateClient();
        using var whole = await client.GetAsync("/head-t1.nii");
        var tag = whole.Headers.ETag!;
        Assert.False(tag.IsWeak);
        Assert.Equal("bytes", whole.Headers.AcceptRanges.Single());

        using var part = await client.SendAsync(Request(static headers => headers.Range = new RangeHeaderValue(344, 351)));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal("n+1\0\0\0\0\0"u8.ToArray(), await part.Content.ReadAsByteArrayAsync());
        using var beyond = await client.SendAsync(Request(static headers => headers.Range = new RangeHeaderValue(1 << 20, null)));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        using var same = await client.SendAsync(Request(headers => headers.IfNoneMatch.Add(tag)));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        using var absent = await client.GetAsync("/none.nii");
        Assert.Equal(HttpStatusCode.NotFound, absent.StatusCode);
    }

    /// <summary>41 KB at 400 kbit/s are 0.8 s; two readers share the line.</summary>
    [Fact]
    public async Task GetFile_SlowLine_TakesItsTime()
    {
        await using var server = new Server(("DemoFiles:BitsPerSecond", "400000"));
        using var client = server.CreateClient();
        await client.GetByteArrayAsync("/index.json");
        var before = Stopwatch.GetTimestamp();
        await Task.WhenAll(client.GetByteArrayAsync("/head-t1.nii"), client.GetByteArrayAsync("/head-t1.nii"));

        // A slow machine takes longer; no machine is faster than the line.
        Assert.True(Stopwatch.GetElapsedTime(before) > TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public async Task GetHealth_FilesAreMade_IsReady()
    {
        await using var server = new Server();
        using var client = server.CreateClient();
        await client.GetByteArrayAsync("/index.json");
        using var health = await client.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    private static HttpRequestMessage Request(Action<HttpRequestHeaders> set)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/head-t1.nii");
        set(request.Headers);
        return request;
    }

    private sealed class Server(params (string Name, string Value)[] settings) : WebApplicationFactory<DemoLibrary>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            foreach (var (name, value) in ((string, string)[])[("DemoFiles:Columns", "32"), ("DemoFiles:Slices", "20"), ("DemoFiles:Latency", "00:00:00.001"), ("DemoFiles:BitsPerSecond", "8000000000"), .. settings])
                builder.UseSetting(name, value);
        }
    }
}
