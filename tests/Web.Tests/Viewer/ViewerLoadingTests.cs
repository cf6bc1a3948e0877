using System.Text.Json;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>How frames are asked for: in which order, how many at once, when not at all, and what happens when one does not come.</summary>
[Collection(StackCollection.Name)]
public sealed class ViewerLoadingTests(StackFixture stack)
{
    private const int Middle = SyntheticStudies.SliceCount / 2;

    [BrowserFact]
    public async Task Open_Frames_AreAskedForInOrder_OnceEach_WithoutPreflight()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        var slices = await SlicesAskedForAsync(viewer, SyntheticStudies.CtSeries);
        // The current one, three ahead, then outward on both sides.
        Assert.Equal([Middle, Middle + 1, Middle + 2, Middle + 3, Middle - 1, Middle - 2, Middle - 3, Middle + 4, Middle - 4], slices.Take(9));
        Assert.Equal(SyntheticStudies.SliceCount, slices.Count);
        Assert.Equal(SyntheticStudies.SliceCount, slices.Distinct().Count());
        Assert.Equal(0, viewer.Recorded.Preflights);
        Assert.Empty(viewer.Recorded.ForeignRequests);
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Revisit_AsksForNoImageBytes()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.True(viewer.Recorded.FrameBytes > 0);
        Assert.True(viewer.Recorded.PreviewBytes > RecordedPage.MostHeaderBytes);
        viewer.Recorded.Reset();
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Equal(0, viewer.Recorded.FrameBytes);
        Assert.InRange(viewer.Recorded.PreviewBytes, 0, RecordedPage.MostHeaderBytes); // asked whether it is still the same
        await viewer.WaitAsync($"p => p.tiers.browser === {SyntheticStudies.SliceCount}");
        Assert.Equal("browser", await viewer.ReadAsync<string>("firstImage.tier"));
        await WindowedSlice.AssertShownAsync(viewer, Middle);
    }

    [BrowserFact]
    public async Task Scroll_WhileLoading_PutsTheNewSliceFirst()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await using var gate = await FrameGate.CloseAsync(viewer.Page, passFirst: 2);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.Page.Keyboard.PressAsync("End");
        await viewer.WaitAsync($"p => p.currentSlice === {SyntheticStudies.SliceCount - 1}");
        await gate.OpenAsync();
        await viewer.SettleAsync();
        var slices = await SlicesAskedForAsync(viewer, SyntheticStudies.CtSeries);
        var last = slices.IndexOf(SyntheticStudies.SliceCount - 1);
        Assert.InRange(last, 1, 8); // behind the first one and at most the loads that were under way
        await WindowedSlice.AssertShownAsync(viewer, SyntheticStudies.SliceCount - 1);
    }

    [BrowserFact]
    public async Task Open_AtMostSixLoadsAtOnce()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await using var gate = await FrameGate.CloseAsync(viewer.Page, passFirst: 1);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.WaitAsync("p => p.areToolsReady");
        Assert.Equal(6, gate.Waiting);
        await gate.OpenAsync();
        await viewer.SettleAsync();
        Assert.InRange(gate.MostWaiting, 6, 6);
    }

    [BrowserFact]
    public async Task SeriesChange_AbortsTheOldSeries_AndShowsTheNew()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        var aborted = new System.Collections.Concurrent.ConcurrentQueue<string>();
        viewer.Page.RequestFailed += (_, request) => aborted.Enqueue(request.Url);
        await using var gate = await FrameGate.CloseAsync(viewer.Page, passFirst: 1, only: SyntheticStudies.CtSeries);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.WaitAsync("p => p.areToolsReady");
        await viewer.Page.Keyboard.PressAsync("]");
        await viewer.WaitAsync($"p => p.series === '{SyntheticStudies.ScoutSeries}' && p.state === 'ready'");
        Assert.Equal(6, aborted.Count(static url => url.Contains($"/series/{SyntheticStudies.CtSeries}/", StringComparison.Ordinal)));
        await viewer.SettleAsync();
        Assert.Equal(SyntheticStudies.SliceCount / 2, await viewer.ReadAsync<int>("sliceCount"));
        await WindowedSlice.AssertShownAsync(viewer, SyntheticStudies.SliceCount / 4);
        Assert.Equal(7, (await SlicesAskedForAsync(viewer, SyntheticStudies.CtSeries)).Count); // the one that came and the six that were aborted
        Assert.Equal("click", await viewer.ReadAsync<string>("firstImage.cause"));
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Frame_ConnectionLostOnce_IsTriedAgain()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        var failures = 0;
        await viewer.Page.RouteAsync(FrameUrl(Middle + 2), route =>
            Interlocked.Increment(ref failures) == 1 ? route.AbortAsync("connectionreset") : route.ContinueAsync());
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Equal(2, failures);
        Assert.Empty(await viewer.ReadAsync<int[]>("failed"));
    }

    [BrowserFact]
    public async Task Frame_ThatDoesNotCome_IsShownAsBad_AndComesWhenAskedAgain()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        var url = FrameUrl(Middle + 2);
        await viewer.Page.RouteAsync(url, static route => route.AbortAsync("connectionreset"));
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Equal(Middle + 2, Assert.Single(await viewer.ReadAsync<int[]>("failed")));

        await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", Middle + 2);
        await Assertions.Expect(viewer.Tile).ToContainTextAsync($"Slice {Middle + 3} cannot be shown");
        await Assertions.Expect(viewer.Tile).ToContainTextAsync("The image service could not be reached.");
        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await viewer.WaitForSliceAsync(Middle + 3);
        await WindowedSlice.AssertShownAsync(viewer, Middle + 3);

        await viewer.Page.UnrouteAsync(url);
        await viewer.Page.Keyboard.PressAsync("ArrowUp");
        await viewer.Tile.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await viewer.WaitForSliceAsync(Middle + 2);
        await WindowedSlice.AssertShownAsync(viewer, Middle + 2);
        Assert.Empty(await viewer.ReadAsync<int[]>("failed"));
    }

    [BrowserFact]
    public async Task Manifest_ThatDoesNotCome_SaysSo_AndTryAgainWorks()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await viewer.Page.RouteAsync("**/manifest", static route => route.AbortAsync("connectionrefused"));
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        Assert.Equal("failed", await viewer.ReadAsync<string>("state"));
        await Assertions.Expect(viewer.Tile).ToContainTextAsync("This series cannot be opened.");
        await viewer.Page.UnrouteAsync("**/manifest");
        await viewer.Tile.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await viewer.SettleAsync();
        await WindowedSlice.AssertShownAsync(viewer, Middle);
    }

    [BrowserFact]
    public async Task Memory_IsBounded_AndFarSlicesComeBackWithoutTheNetwork()
    {
        const int held = 8;
        const int bytes = held * SyntheticStudies.Rows * SyntheticStudies.Columns * 2 * 6 / 5 + 6; // a sixth is for previews
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        // The page's configuration, before its scripts read it. A page that a test answers in the server's place would not do: the
        // browser takes it for one from the internet, which may not call the loopback.
        await viewer.Page.AddInitScriptAsync(
            $$"""
            document.addEventListener('readystatechange', () => {
              const script = document.getElementById('platform-config');
              if (document.readyState === 'interactive' && script) {
                script.textContent = JSON.stringify({ ...JSON.parse(script.textContent), maxImageBytes: {{bytes}} });
              }
            });
            """);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Equal(held, (await SlicesAskedForAsync(viewer, SyntheticStudies.CtSeries)).Count);
        foreach (var slice in new[] { 0, SyntheticStudies.SliceCount - 1, Middle })
        {
            await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", slice);
            await viewer.WaitForSliceAsync(slice);
            await viewer.SettleAsync();
            await WindowedSlice.AssertShownAsync(viewer, slice);
            Assert.InRange(await viewer.ReadAsync<int>("heldBytes"), 1, bytes);
        }

        viewer.Recorded.Reset();
        await viewer.Page.EvaluateAsync("() => window.__platform.goTo(0)");
        await viewer.WaitForSliceAsync(0);
        await viewer.SettleAsync();
        Assert.Equal(0, viewer.Recorded.FrameBytes);
    }

    private static string FrameUrl(int slice) => $"**/instances/{SyntheticStudies.CtSeries}.{slice + 1}/frames/1*";

    /// <summary>Which slices of a series were asked for, in order. The test series names each instance after its slice.</summary>
    private static Task<List<int>> SlicesAskedForAsync(ViewerPage viewer, string series)
    {
        var marker = $"/instances/{series}.";
        return Task.FromResult(viewer.Recorded.Requests
            .Where(request => request.StartsWith("GET ", StringComparison.Ordinal) && request.Contains(marker, StringComparison.Ordinal))
            .Select(request => request[(request.IndexOf(marker, StringComparison.Ordinal) + marker.Length)..])
            .Select(static rest => int.Parse(rest[..rest.IndexOf('/')], System.Globalization.CultureInfo.InvariantCulture) - 1)
            .ToList());
    }
}
