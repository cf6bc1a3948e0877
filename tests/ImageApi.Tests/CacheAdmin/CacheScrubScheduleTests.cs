using ImageApi.Tests.Support;

namespace ImageApi.Tests.CacheAdmin;

public sealed class CacheScrubScheduleTests
{
    [Fact]
    public async Task Interval_Passes_ScrubsByItself()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ImageApi:CacheScrub:Interval", "00:00:00.200"));
        using (var manifest = await host.SendAsync($"/api/series/{SyntheticStudies.Slices}/manifest")) Assert.True(manifest.IsSuccessStatusCode);
        for (var waited = 0; ; waited++)
        {
            var scrub = await (await host.SendAsync("/api/cache/scrub")).JsonAsync();
            if (scrub.GetProperty("state").GetString() is "done" or "Done" && scrub.GetProperty("checkedEntries").GetInt64() > 0) break;
            Assert.True(waited < 300, $"No scrub in 30 s: {scrub}");
            await Task.Delay(100);
        }
    }

    [Fact]
    public async Task NoInterval_NothingBegins()
    {
        await using var host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("ImageApi:CacheScrub:Interval", "00:00:00"));
        await Task.Delay(500);
        var scrub = await (await host.SendAsync("/api/cache/scrub")).JsonAsync();
        Assert.Equal("idle", scrub.GetProperty("state").GetString(), ignoreCase: true);
    }
}
