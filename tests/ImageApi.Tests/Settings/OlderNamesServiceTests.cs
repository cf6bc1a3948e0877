using System.Net;
using System.Net.Http.Json;
using ImageApi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Platform.Tests.Shared.Faults;
using Platform.TieredCache;

namespace ImageApi.Tests.Settings;

/// <summary>The older tools' environment names and origins added at run time, over the whole service and a real file server.</summary>
public sealed class OlderNamesServiceTests
{
    [Fact]
    public async Task ImageServer_IsAnHttpOriginCalledDefault()
    {
        await using var origin = new ScriptedOrigin(static _ => OriginReply.Of(200, "volume", "Cache-Control: max-age=60"));
        await using var host = await ImageApiHost.StartAsync(static _ => { }, ("IMAGE_SERVER", origin.Address.ToString()));
        for (var i = 0; i < 2; i++)
        {
            using var response = await host.SendAsync("/files/default/brain.nii");
            Assert.Equal("volume", await response.Content.ReadAsStringAsync());
        }
        Assert.Single(origin.Requests);
    }

    [Fact]
    public async Task CacheSizeAndTtl_AreTheDiskTiersBounds()
    {
        await using var host = await ImageApiHost.StartAsync(static _ => { }, ("CACHE_MAX_SIZE_MB", "512"), ("CACHE_DEFAULT_TTL_HOURS", "48"));
        var bounds = host.Services.GetRequiredService<ICacheAdministration>().Bounds;
        Assert.Equal((512L << 20, TimeSpan.FromHours(48)), (bounds.DiskBytes, bounds.DiskTtl));
    }

    [Fact]
    public async Task OriginAddedAtRunTime_ServesFilesAtOnceAndForgetsThemWhenItGoesElsewhere()
    {
        await using var one = new ScriptedOrigin(static _ => OriginReply.Of(200, "one", "Cache-Control: max-age=600", "ETag: \"v\""));
        await using var two = new ScriptedOrigin(static _ => OriginReply.Of(200, "two", "Cache-Control: max-age=600", "ETag: \"v\""));
        await using var host = await ImageApiHost.StartAsync(static _ => { });
        using var added = await host.Client.PostAsJsonAsync("/api/origins", new { name = "files", kind = "http", url = one.Address });
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.Equal("one", await host.Client.GetStringAsync("/files/files/a.nii"));
        Assert.Equal("one", await host.Client.GetStringAsync("/files/files/a.nii"));
        Assert.Single(one.Requests);

        // The same name, the same path, the same entity tag: another server, so other bytes.
        using var moved = await host.Client.PutAsJsonAsync("/api/origins/files", new { kind = "http", url = two.Address });
        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        Assert.Equal("two", await host.Client.GetStringAsync("/files/files/a.nii"));

        using var removed = await host.Client.DeleteAsync("/api/origins/files");
        using var gone = await host.SendAsync("/files/files/a.nii");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }
}
