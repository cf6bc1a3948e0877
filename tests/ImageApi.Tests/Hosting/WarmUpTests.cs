using ImageApi.Tests.Support;

namespace ImageApi.Tests.Hosting;

public sealed class WarmUpTests
{
    [Fact]
    public async Task Start_WithAStudy_FindsItsManifestAndAFrameInMemory()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ImageApi:WarmUp:Enabled", "true"));
        for (var waited = 0; ; waited++)
        {
            var tiers = (await (await host.SendAsync("/api/cache/stats")).JsonAsync()).GetProperty("tiers").EnumerateArray();
            if (tiers.Any(t => t.GetProperty("tier").GetString() == "Memory" && t.GetProperty("kind").GetString() == "Frame" && t.GetProperty("entries").GetInt64() > 0))
                break;
            Assert.True(waited < 200, "Nothing was asked for in 20 s.");
            await Task.Delay(100);
        }
        // The newest study's first series, in the coding that browsers take.
        using var manifest = await host.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest", ("Accept-Encoding", "gzip, deflate, br, zstd"));
        Assert.Equal("platform; hit; detail=memory", manifest.Header("Cache-Status"));
    }
}
