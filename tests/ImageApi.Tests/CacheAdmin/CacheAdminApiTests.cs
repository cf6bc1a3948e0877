using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ImageApi.Tests.Support;
using Platform.Tests.Shared;

namespace ImageApi.Tests.CacheAdmin;

/// <summary>Statistics, entries, clearing and scrubbing over a service with a memory and a disk tier.</summary>
public sealed class CacheAdminApiTests : IAsyncLifetime
{
    private readonly TempFolder _disk = new();
    private ImageApiHost _host = null!;

    public async Task InitializeAsync() => _host = await ImageApiHost.StartAsync(SyntheticStudies.Fill, ("TieredCache:Disk:Path", _disk.Path));

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _disk.Dispose();
    }

    [Fact]
    public async Task Stats_AfterMissesAndHits_AddUp()
    {
        await LookAsync(SyntheticStudies.Study, 3);
        var stats = await GetAsync("/api/cache/stats");
        var (requests, hits) = (stats.GetProperty("requests").GetInt64(), stats.GetProperty("hits").GetInt64());
        Assert.True(hits >= 2 && requests > hits);
        Assert.Equal((double)hits / requests, stats.GetProperty("hitRate").GetDouble(), 6);
        var (hitBytes, downloaded) = (stats.GetProperty("hitBytes").GetInt64(), stats.GetProperty("downloadedBytes").GetInt64());
        Assert.True(hitBytes > 0 && downloaded > 0);
        Assert.Equal((double)hitBytes / (hitBytes + downloaded), stats.GetProperty("byteHitRate").GetDouble(), 6);

        var totals = stats.GetProperty("totals").EnumerateArray().ToArray();
        var rows = stats.GetProperty("tiers").EnumerateArray().ToArray();
        Assert.Equal("Memory", totals[0].GetProperty("tier").GetString());
        foreach (var total in totals)
            foreach (var name in new[] { "hits", "misses", "entries", "bytes", "evictions", "expirations", "corruptions", "coalesced" })
                Assert.Equal(total.GetProperty(name).GetInt64(), rows.Where(row => row.GetProperty("tier").GetString() == total.GetProperty("tier").GetString()).Sum(row => row.GetProperty(name).GetInt64()));
        Assert.Contains(stats.GetProperty("origins").EnumerateArray(), origin => origin.GetProperty("name").GetString() == "test");
    }

    [Fact]
    public async Task History_HoldsWhatHappened()
    {
        await LookAsync(SyntheticStudies.Study, 3);
        var history = await GetAsync("/api/cache/history");
        var samples = history.GetProperty("samples").EnumerateArray().ToArray();
        Assert.True(samples[^1].GetProperty("requests").GetInt64() > samples[0].GetProperty("requests").GetInt64());
        Assert.True(samples[^1].GetProperty("memory").GetInt64() > 0);
    }

    [Theory]
    [InlineData("memory", "largest")]
    [InlineData("disk", "largest")]
    [InlineData("memory", "hottest")]
    [InlineData("memory", "newest")]
    [InlineData("disk", "oldest")]
    public async Task Entries_PageByPage_AreAllThereOnceAndInOrder(string tier, string order)
    {
        await FillAsync();
        List<JsonElement> entries = [];
        string? after = null;
        do
        {
            var page = await GetAsync($"/api/cache/entries?tier={tier}&order={order}&limit=2" + (after is null ? "" : "&after=" + Uri.EscapeDataString(after)));
            entries.AddRange(page.GetProperty("entries").EnumerateArray());
            after = page.TryGetProperty("next", out var next) && next.ValueKind == JsonValueKind.String ? next.GetString() : null;
        }
        while (after is not null);

        var whole = (await GetAsync($"/api/cache/entries?tier={tier}&order={order}&limit=500")).GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("id").GetString()).ToArray();
        Assert.True(whole.Length > 2);
        Assert.Equal(whole.Order(), entries.Select(entry => entry.GetProperty("id").GetString()).Order());
        if (order == "largest") Assert.Equal(entries.OrderByDescending(entry => entry.GetProperty("bytes").GetInt64()).Select(entry => entry.GetProperty("bytes").GetInt64()), entries.Select(entry => entry.GetProperty("bytes").GetInt64()));
        Assert.All(entries, entry => Assert.DoesNotContain(SyntheticStudies.Study, entry.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clear_Unconfirmed_TellsWhatWouldGoAndClearsNothing()
    {
        await FillAsync();
        var before = await EntriesAsync();
        using var response = await ClearAsync(new { });
        var problem = await ProblemAnswer.AssertAsync(response, HttpStatusCode.BadRequest, "urn:platform:problem:confirmation-required");
        Assert.Equal(before, problem.GetProperty("entries").GetInt64());
        Assert.Contains($"{before} values", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("asks the origin", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, problem.GetProperty("tiers").EnumerateArray().Sum(tier => tier.GetProperty("entries").GetInt64()));
        Assert.Equal(before, await EntriesAsync());
    }

    [Fact]
    public async Task Clear_Everything_EmptiesEveryTierAndServesOn()
    {
        await FillAsync();
        var before = await EntriesAsync();
        using var response = await ClearAsync(new { confirm = true });
        Assert.Equal(before, (await response.JsonAsync()).GetProperty("entries").GetInt64());
        Assert.Equal(0, await EntriesAsync());
        await LookAsync(SyntheticStudies.Study, 1);
    }

    [Fact]
    public async Task Clear_OneSeries_LeavesTheOthers()
    {
        await FillAsync();
        var other = await CacheStatusAsync(MetadataOf(SyntheticStudies.OtherStudy, SyntheticStudies.OtherSeries));
        Assert.Contains("hit", other, StringComparison.Ordinal);
        using var response = await ClearAsync(new { confirm = true, series = SyntheticStudies.Slices });
        Assert.True((await response.JsonAsync()).GetProperty("entries").GetInt64() > 0);
        Assert.Contains("hit", await CacheStatusAsync(MetadataOf(SyntheticStudies.OtherStudy, SyntheticStudies.OtherSeries)), StringComparison.Ordinal);
        Assert.Contains("fwd=miss", await CacheStatusAsync(MetadataOf(SyntheticStudies.Study, SyntheticStudies.Slices)), StringComparison.Ordinal);
        Assert.Contains("fwd=miss", await CacheStatusAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/frames/1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("study", SyntheticStudies.Study)]
    [InlineData("origin", "test")]
    public async Task Clear_ByTag_ForgetsFramesToo(string scope, string value)
    {
        await FillAsync();
        var frame = $"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(1))}/frames/1";
        Assert.Contains("hit", await CacheStatusAsync(frame), StringComparison.Ordinal);
        using var response = await ClearAsync(new Dictionary<string, object> { ["confirm"] = true, [scope] = value });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("fwd=miss", await CacheStatusAsync(frame), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_MemoryAlone_LeavesTheDiskToAnswer()
    {
        await FillAsync();
        using var response = await ClearAsync(new { confirm = true, tier = "memory" });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("detail=disk", await CacheStatusAsync(MetadataOf(SyntheticStudies.Study, SyntheticStudies.Slices)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrub_OfADamagedValue_FindsItAndTakesItOut()
    {
        await FillAsync();
        // Every value's last byte, whatever the layout is: the checksums cover all of it.
        foreach (var file in Directory.EnumerateFiles(_disk.Path, "*", SearchOption.AllDirectories).Where(static file => new FileInfo(file).Length > 512).ToArray())
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            stream.Position = stream.Length / 2;
            var old = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(old ^ 0x5A));
        }

        using var started = await _host.SendAsync(HttpMethod.Post, "/api/cache/scrub");
        Assert.Equal((HttpStatusCode.Accepted, "/api/cache/scrub"), (started.StatusCode, started.Header("Location")));
        var state = await ScrubbedAsync();
        Assert.Equal("Done", state.GetProperty("state").GetString());
        Assert.True(state.GetProperty("corruptions").GetInt64() > 0);
        Assert.True(state.GetProperty("checkedEntries").GetInt64() > 0);

        // What was damaged is made again, right.
        using var answer = await _host.SendAsync(MetadataOf(SyntheticStudies.Study, SyntheticStudies.Slices));
        Assert.Equal(SyntheticStudies.SliceCount, (await answer.JsonAsync()).GetArrayLength());
    }

    [Fact]
    public async Task Scrub_NothingWasDoneYet_IsIdle() => Assert.Equal("Idle", (await GetAsync("/api/cache/scrub")).GetProperty("state").GetString());

    private async Task<JsonElement> ScrubbedAsync()
    {
        for (var tries = 0; tries < 300; tries++)
        {
            var state = await GetAsync("/api/cache/scrub");
            if (state.GetProperty("state").GetString() != "Running") return state;
            await Task.Delay(50);
        }
        throw new TimeoutException("The scrub did not end in 15 s.");
    }

    private async Task FillAsync()
    {
        await LookAsync(SyntheticStudies.Study, 1);
        foreach (var (study, series) in new[] { (SyntheticStudies.Study, SyntheticStudies.Slices), (SyntheticStudies.Study, SyntheticStudies.MultiFrame), (SyntheticStudies.OtherStudy, SyntheticStudies.OtherSeries) })
        {
            (await _host.SendAsync(MetadataOf(study, series))).EnsureSuccessStatusCode().Dispose();
            (await _host.SendAsync($"/api/series/{series}/manifest")).EnsureSuccessStatusCode().Dispose();
        }
        for (var number = 1; number <= SyntheticStudies.SliceCount; number++)
            (await _host.SendAsync($"{SyntheticStudies.UrlOf(SyntheticStudies.Slice(number))}/frames/1")).EnsureSuccessStatusCode().Dispose();
        // The disk is written behind the answers.
        for (var tries = 0; tries < 200 && (await GetAsync("/api/cache/entries?tier=disk&limit=500")).GetProperty("entries").GetArrayLength() < 6; tries++) await Task.Delay(50);
        Assert.True((await GetAsync("/api/cache/entries?tier=disk&limit=500")).GetProperty("entries").GetArrayLength() >= 6);
    }

    private async Task LookAsync(string study, int times)
    {
        for (var i = 0; i < times; i++) (await _host.SendAsync($"/dicomweb/studies/{study}/metadata")).EnsureSuccessStatusCode().Dispose();
    }

    private static string MetadataOf(string study, string series) => $"/dicomweb/studies/{study}/series/{series}/metadata";

    private async Task<string> CacheStatusAsync(string path)
    {
        using var response = await _host.SendAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Header("Cache-Status")!;
    }

    private async Task<long> EntriesAsync() => (await GetAsync("/api/cache/entries?tier=memory&limit=500")).GetProperty("entries").GetArrayLength()
        + (await GetAsync("/api/cache/entries?tier=disk&limit=500")).GetProperty("entries").GetArrayLength();

    private async Task<JsonElement> GetAsync(string path) => await (await _host.SendAsync(path)).JsonAsync();

    private Task<HttpResponseMessage> ClearAsync(object body) => _host.Client.PostAsJsonAsync("/api/cache/clear", body);
}
