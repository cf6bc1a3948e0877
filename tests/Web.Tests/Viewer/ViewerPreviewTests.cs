using System.Collections.Concurrent;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>Progressive delivery: a picture of every slice first, marked as what it is, then what follows of each, and no byte twice.</summary>
[Collection(StackCollection.Name)]
public sealed class ViewerPreviewTests(StackFixture stack)
{
    private const int Middle = SyntheticStudies.SliceCount / 2;

    [BrowserFact]
    public async Task Open_EverySliceHasAPictureBeforeAnyIsWhole_AndSaysSoUntilItIs()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await using var gate = await FrameGate.CloseAsync(viewer.Page, passFirst: 0);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.WaitAsync($"p => p.usable === {SyntheticStudies.SliceCount} && p.areToolsReady");
        var mark = viewer.Page.Locator(".v-quality");
        foreach (var slice in new[] { Middle, 3, SyntheticStudies.SliceCount - 1 })
        {
            await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", slice);
            await viewer.WaitForSliceAsync(slice);
            await Assertions.Expect(mark).ToHaveTextAsync("preview");
            await Assertions.Expect(mark).ToBeVisibleAsync();
            Assert.True(await viewer.ReadAsync<bool>("isPreview"));
            Assert.False(await viewer.ReadAsync<bool>("isLossless"));
            // Far from edges a quarter of the rows and columns shows the same grey, in the same place.
            var color = (await viewer.ColorAtAsync(90, 40))[0];
            Assert.InRange(color, WindowedSlice.Grey(slice, 90, 40, WindowedSlice.Stored) - 4, WindowedSlice.Grey(slice, 90, 40, WindowedSlice.Stored) + 4);
            Assert.InRange((await viewer.ColorAtAsync(12, 12))[0], 250, 255);
        }

        Assert.Equal("Slice 40 of 40, preview", await viewer.LoadBar.GetAttributeAsync("aria-valuetext"));
        await gate.OpenAsync();
        await viewer.SettleAsync();
        await Assertions.Expect(mark).ToBeHiddenAsync();
        Assert.True(await viewer.ReadAsync<bool>("isLossless"));
        await WindowedSlice.AssertShownAsync(viewer, SyntheticStudies.SliceCount - 1);
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Open_OneStreamAndTheRestOfEachFrame_NoByteTwice()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        var asked = new ConcurrentQueue<(string Url, string? Range)>();
        viewer.Page.Request += (_, request) => asked.Enqueue((request.Url, request.Headers.GetValueOrDefault("range")));
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Single(asked, static request => request.Url.Contains("/preview", StringComparison.Ordinal));
        var frames = asked.Where(static request => request.Url.Contains($"/series/{SyntheticStudies.CtSeries}/", StringComparison.Ordinal) && request.Url.Contains("/frames/", StringComparison.Ordinal)).ToList();
        Assert.Equal(SyntheticStudies.SliceCount, frames.Select(static frame => frame.Url).Distinct().Count());
        Assert.Equal(SyntheticStudies.SliceCount, frames.Count);

        // Each range begins where the previews ended: together they are the whole stream, whose length the service tells.
        using var http = new HttpClient();
        var (prefixes, wholes) = (0L, 0L);
        foreach (var (url, range) in frames)
        {
            Assert.Matches(@"^bytes=[1-9][0-9]*-$", range ?? "");
            prefixes += long.Parse(range!["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
            using var whole = new HttpRequestMessage(HttpMethod.Get, url);
            whole.Headers.Accept.ParseAdd("image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202");
            using var answer = await http.SendAsync(whole);
            wholes += (await answer.Content.ReadAsByteArrayAsync()).Length;
        }

        var rest = await viewer.Page.EvaluateAsync<long>(
            "() => performance.getEntriesByType('resource').filter(e => e.name.includes('/frames/')).reduce((sum, e) => sum + e.encodedBodySize, 0)");
        Assert.Equal(wholes, prefixes + rest);
        Assert.Equal(0, viewer.Recorded.Preflights);
    }

    [BrowserFact]
    public async Task SeriesChange_WhileTheStreamRuns_ShowsTheOther()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await viewer.Page.RouteAsync($"**/series/{SyntheticStudies.CtSeries}/preview*", static _ => Task.CompletedTask); // never answered
        await viewer.GoAsync(SyntheticStudies.CtStudy); // it is not waited for for ever
        await viewer.Page.Keyboard.PressAsync("]");
        await viewer.WaitAsync($"p => p.series === '{SyntheticStudies.ScoutSeries}' && p.state === 'ready'");
        await viewer.SettleAsync();
        await WindowedSlice.AssertShownAsync(viewer, SyntheticStudies.SliceCount / 4);
    }

    [BrowserFact]
    public async Task Stream_ThatFails_LeavesFramesAsStored()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await viewer.Page.RouteAsync("**/preview*", static route => route.AbortAsync("connectionreset"));
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.False(await viewer.ReadAsync<bool>("isPreview"));
        Assert.Empty(await viewer.ReadAsync<int[]>("failed"));
        await WindowedSlice.AssertShownAsync(viewer, Middle);
    }

    [BrowserFact]
    public async Task Why_OnAPreview_TellsBothPartsOfTheSlice()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.Page.Locator(".v-first").ClickAsync();
        var parts = viewer.Page.Locator(".v-parts tbody tr");
        await Assertions.Expect(parts).ToHaveCountAsync(2);
        await Assertions.Expect(parts.Nth(0)).ToContainTextAsync("Preview");
        await Assertions.Expect(parts.Nth(1)).ToContainTextAsync("Rest");
        await Assertions.Expect(parts.Nth(1)).ToContainTextAsync("ms");
    }

    [BrowserFact]
    public async Task Measure_OnAPreview_GivesTheDistanceOfTheWholeFrame()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await using var gate = await FrameGate.CloseAsync(viewer.Page, passFirst: 0);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.WaitAsync("p => p.areToolsReady && p.isPreview");
        await viewer.Page.Keyboard.PressAsync("l");
        var (from, to) = (await PlaceAsync(viewer, 20, 60), await PlaceAsync(viewer, 60, 60));
        await viewer.Page.Mouse.MoveAsync(from.X, from.Y);
        await viewer.Page.Mouse.DownAsync();
        await viewer.Page.Mouse.MoveAsync((from.X + to.X) / 2, to.Y, new() { Steps = 5 });
        await viewer.Page.Mouse.MoveAsync(to.X, to.Y, new() { Steps = 5 });
        await viewer.Page.Mouse.UpAsync();
        var text = viewer.Viewport.Locator("svg.svg-layer text").First;
        await Assertions.Expect(text).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^(39|40|41)(\.\d+)? mm")); // the spacing is 1 mm
        var before = await text.TextContentAsync();
        await gate.OpenAsync();
        await viewer.SettleAsync();
        Assert.Equal(before, await text.TextContentAsync());
    }

    private static async Task<(float X, float Y)> PlaceAsync(ViewerPage viewer, int column, int row)
    {
        var place = await viewer.Page.EvaluateAsync<float[]>("([column, row]) => { const at = window.__platform.pixelToPage(column, row); return [at.x, at.y]; }", new[] { column, row });
        return (place[0], place[1]);
    }
}
