using System.Text.Json;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>What is on the canvas is what was stored, through the window: the right slice, every time.</summary>
[Collection(StackCollection.Name)]
public sealed class ViewerPixelTests(StackFixture stack)
{
    private const int Middle = SyntheticStudies.SliceCount / 2;

    [BrowserFact]
    public async Task Open_Volume_ShowsItsMiddleSliceThroughTheStoredWindow()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        Assert.Equal("cornerstone", await viewer.ReadAsync<string>("renderer"));
        Assert.Equal(Middle, await viewer.ReadAsync<int>("shownSlice"));
        Assert.Equal(SyntheticStudies.SliceCount, await viewer.ReadAsync<int>("sliceCount"));
        Assert.True(await viewer.ReadAsync<bool>("isLossless"));
        await WindowedSlice.AssertShownAsync(viewer, Middle);
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Open_FirstPictureOnThePlainCanvas_IsTheSamePicture()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        // Cornerstone3D never comes: what was drawn first stays, and scrolls.
        await viewer.Page.RouteAsync("**/cornerstonePresentation-*.js", static route => route.AbortAsync());
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        Assert.Equal("plain", await viewer.ReadAsync<string>("renderer"));
        await WindowedSlice.AssertShownAsync(viewer, Middle);
        await viewer.Page.Keyboard.PressAsync("Home");
        await viewer.WaitForSliceAsync(0);
        await WindowedSlice.AssertShownAsync(viewer, 0);
    }

    [BrowserFact]
    public async Task Scroll_ToEverySlice_ShowsThatSlice()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        foreach (var slice in new[] { 0, 1, 7, 19, 20, 33, SyntheticStudies.SliceCount - 1, 12 })
        {
            await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", slice);
            await viewer.WaitForSliceAsync(slice);
            await WindowedSlice.AssertShownAsync(viewer, slice);
        }
    }

    [BrowserFact]
    public async Task Window_PresetAndInvert_ChangeThePixelsAsTheyShould()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.Page.Keyboard.PressAsync("3"); // stored, soft tissue, lung
        await viewer.WaitAsync("p => p.window.center === -600 && p.window.width === 1500");
        await WindowedSlice.AssertShownAsync(viewer, Middle, (-600, 1500));
        await viewer.Page.Keyboard.PressAsync("i");
        await WindowedSlice.AssertShownAsync(viewer, Middle, (-600, 1500), isInverted: true);

        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await viewer.WaitForSliceAsync(Middle + 1);
        await WindowedSlice.AssertShownAsync(viewer, Middle + 1, (-600, 1500), isInverted: true);

        await viewer.Page.Keyboard.PressAsync("r");
        await viewer.WaitAsync("p => !p.isInverted && p.window.center === 600");
        await viewer.Page.Keyboard.PressAsync("ArrowUp");
        await viewer.WaitForSliceAsync(Middle);
        await WindowedSlice.AssertShownAsync(viewer, Middle);
    }

    [BrowserFact]
    public async Task FirstImage_ItsTime_IsWhenThePixelsWereThere()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        // Looks at the canvas once per animation frame, as a person would, and notes when the picture is on it.
        await viewer.Page.AddInitScriptAsync(
            """
            const look = () => {
              const canvas = window.__platform?.canvas();
              const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
              if (canvas && canvas.width > 1) { copy.drawImage(canvas, -Math.floor(canvas.width / 2), -Math.floor(canvas.height / 2)); }
              if (copy.getImageData(0, 0, 1, 1).data[0] > 30) { window.seenAt = performance.now(); } else { requestAnimationFrame(look); }
            };
            requestAnimationFrame(look);
            """);
        await viewer.GoAsync(SyntheticStudies.CtStudy);
        await viewer.WaitAsync("p => p.firstImage && window.seenAt");
        var seenAt = await viewer.Page.EvaluateAsync<double>("() => window.seenAt");
        var first = await viewer.ReadAsync<JsonElement>("firstImage");
        var ms = first.GetProperty("ms").GetDouble();
        // Between the draw and the mark lie one animation frame and whatever else ran in it.
        Assert.InRange(ms, seenAt - 250, seenAt + 250);
        Assert.Equal("navigation", first.GetProperty("cause").GetString());
        var steps = first.GetProperty("steps").EnumerateArray().ToList();
        var names = steps.Select(static step => step.GetProperty("name").GetString()!).ToList();
        var way = names.Contains("Preview: request") ? "Preview" : "Frame";   // the current slice is asked for by both: whichever comes first is drawn
        Assert.Equal(["Page", "Script", "Manifest", $"{way}: request", $"{way}: download", "Decode", "Draw"], names);
        Assert.All(steps, step => Assert.InRange(step.GetProperty("start").GetDouble() + step.GetProperty("duration").GetDouble(), 0, ms + 1));
    }
}
