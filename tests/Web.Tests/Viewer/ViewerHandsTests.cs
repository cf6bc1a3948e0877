using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>Mouse, keys and fingers.</summary>
[Collection(StackCollection.Name)]
public sealed partial class ViewerHandsTests(StackFixture stack)
{
    private const int Middle = SyntheticStudies.SliceCount / 2;

    [BrowserFact]
    public async Task WheelAndKeys_Scroll()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.Viewport.HoverAsync();
        await viewer.Page.Mouse.WheelAsync(0, 120);
        await viewer.WaitForSliceAsync(Middle + 1);
        await viewer.Page.Mouse.WheelAsync(0, -120);
        await viewer.WaitForSliceAsync(Middle);
        foreach (var (key, slice) in new[]
        {
            ("ArrowDown", Middle + 1), ("ArrowRight", Middle + 2), ("ArrowUp", Middle + 1), ("ArrowLeft", Middle), ("PageDown", Middle + 10),
            ("PageUp", Middle), ("End", SyntheticStudies.SliceCount - 1), ("ArrowDown", SyntheticStudies.SliceCount - 1), ("Home", 0), ("ArrowUp", 0),
        })
        {
            await viewer.Page.Keyboard.PressAsync(key);
            await viewer.WaitForSliceAsync(slice);
        }

        await Assertions.Expect(viewer.LoadBar).ToHaveAttributeAsync("aria-valuenow", "1");
        await Assertions.Expect(viewer.LoadBar).ToHaveAttributeAsync("aria-valuetext", $"Slice 1 of {SyntheticStudies.SliceCount}");
        await Assertions.Expect(viewer.Page.Locator("[role=status]")).ToHaveTextAsync($"Slice 1 of {SyntheticStudies.SliceCount}");
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task LoadBar_Drag_ScrollsThere()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        var bar = (await viewer.LoadBar.BoundingBoxAsync())!;
        await viewer.Page.Mouse.MoveAsync(bar.X + bar.Width * 0.1f, bar.Y + bar.Height / 2);
        await viewer.Page.Mouse.DownAsync();
        await viewer.WaitForSliceAsync(4);
        await viewer.Page.Mouse.MoveAsync(bar.X + bar.Width * 0.9f + 2, bar.Y + bar.Height / 2, new() { Steps = 4 });
        await viewer.Page.Mouse.UpAsync();
        await viewer.WaitForSliceAsync(36);
        await WindowedSlice.AssertShownAsync(viewer, 36);
    }

    [BrowserFact]
    public async Task Drag_Windows_AndTheCornerSaysSo()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await DragAsync(viewer, (64, 40), (64, 60));
        await viewer.WaitAsync("p => p.window.width !== 2400");
        var window = await viewer.ReadAsync<JsonElement>("window");
        var (center, width) = (window.GetProperty("center").GetDouble(), window.GetProperty("width").GetDouble());
        Assert.True(width > 2400);
        await Assertions.Expect(viewer.Viewport).ToContainTextAsync($"W {Math.Round(width)} L {Math.Round(center)}");
        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await viewer.WaitForSliceAsync(Middle + 1);
        await WindowedSlice.AssertShownAsync(viewer, Middle + 1, (center, width));
    }

    [BrowserFact]
    public async Task Length_IsMeasuredInMillimetres()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.Page.Keyboard.PressAsync("l");
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Measure a length" })).ToHaveAttributeAsync("aria-pressed", "true");
        await DragAsync(viewer, (50, 40), (90, 70)); // 40 rows and 30 columns of 1 mm
        // The label follows the hand by a frame or two: it is read until it stands at the end of the drag.
        await Assertions.Expect(viewer.Viewport.Locator("svg.svg-layer text").First).ToHaveTextAsync(FiftyMillimetres());
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task ZoomPanResetFlip_KeepPixelAndMarkersTogether()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        var markers = () => viewer.Page.EvaluateAsync<string>("() => ['left', 'top', 'right', 'bottom'].map(s => document.querySelector('.v-marker-' + s).textContent).join('')");
        Assert.Equal("RALP", await markers());
        await viewer.Page.Keyboard.PressAsync("h");
        await viewer.WaitForAsync("() => document.querySelector('.v-marker-left').textContent === 'L'");
        Assert.Equal("LARP", await markers());
        await viewer.Page.Keyboard.PressAsync("h");
        await viewer.WaitForAsync("() => document.querySelector('.v-marker-left').textContent === 'R'");
        await viewer.Page.Keyboard.PressAsync("o");
        await viewer.WaitForAsync("() => document.querySelector('.v-marker-right').textContent === 'A'");
        Assert.Equal("PRAL", await markers());
        await viewer.Page.Keyboard.PressAsync("r");
        await viewer.WaitForAsync("() => document.querySelector('.v-marker-left').textContent === 'R'");

        var before = await DistanceAsync(viewer);
        await viewer.Page.Keyboard.PressAsync("z");
        await DragAsync(viewer, (40, 48), (70, 48));
        var after = await DistanceAsync(viewer);
        Assert.NotInRange(after, before * 0.95, before * 1.05);
        await viewer.Page.Keyboard.PressAsync("r");
        await viewer.WaitForAsync("before => { const a = window.__platform.pixelToPage(0, 0), b = window.__platform.pixelToPage(10, 0); return Math.abs(b.x - a.x - before) < 0.5; }", before);
        await viewer.WaitForSliceAsync(Middle);
    }

    [BrowserFact]
    public async Task Cine_Plays_AndStops()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.Page.Keyboard.PressAsync(" ");
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Play as cine" })).ToHaveAttributeAsync("aria-pressed", "true");
        await viewer.WaitAsync($"p => p.currentSlice > {Middle + 3}");
        await viewer.Page.Keyboard.PressAsync(" ");
        var stopped = await viewer.ReadAsync<int>("currentSlice");
        await Task.Delay(400);
        Assert.Equal(stopped, await viewer.ReadAsync<int>("currentSlice"));
    }

    [BrowserFact]
    public async Task Keys_HelpPanelsAndSearch()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.Page.Keyboard.PressAsync("?");
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await viewer.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();

        var series = viewer.Page.GetByRole(AriaRole.Navigation, new() { Name = "Series" });
        await Assertions.Expect(series).ToBeVisibleAsync();
        await viewer.Page.Keyboard.PressAsync("s");
        await Assertions.Expect(series).ToBeHiddenAsync();
        await viewer.GoAsync(SyntheticStudies.CtStudy); // it remembers
        await Assertions.Expect(series).ToBeHiddenAsync();

        await viewer.WaitAsync("p => p.firstImage");
        await viewer.Page.Locator(".v-first").ClickAsync();
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Region, new() { Name = "How the images came" })).ToContainTextAsync("Frame: download");
        await viewer.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(viewer.Page.Locator(".v-first")).ToBeFocusedAsync();

        await viewer.Page.Keyboard.PressAsync("/");
        await viewer.Page.WaitForURLAsync(url => new Uri(url).AbsolutePath == "/");
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Phone_FitsAndSwipes()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy, static options =>
        {
            options.ViewportSize = new() { Width = 390, Height = 844 };
            options.HasTouch = true;
            options.IsMobile = true;
        });
        await viewer.SettleAsync();
        Assert.Equal(390, await viewer.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        foreach (var name in new[] { "Window and level", "Zoom", "Pan", "Measure a length", "Invert", "Play as cine", "Reset the view", "Keys and help" })
        {
            var box = (await viewer.Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).BoundingBoxAsync())!;
            Assert.InRange(box.X, 0, 390 - box.Width);
            Assert.InRange(box.Y, 0, 844 - box.Height);
            Assert.True(box.Width >= 40 && box.Height >= 40, $"{name} is {box.Width} x {box.Height}");
        }

        await WindowedSlice.AssertShownAsync(viewer, Middle);
        var viewport = (await viewer.Viewport.BoundingBoxAsync())!;
        await SwipeAsync(viewer.Page, viewport.X + 200, viewport.Y + 400, viewport.Y + 340);
        await viewer.WaitAsync($"p => p.currentSlice > {Middle + 2} && p.shownSlice === p.currentSlice");
        await viewer.Page.Locator(".v-first").TapAsync();
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Region, new() { Name = "How the images came" })).ToBeVisibleAsync();
        Assert.Empty(viewer.Recorded.Complaints);
    }

    private static async Task<double> DistanceAsync(ViewerPage viewer) =>
        await viewer.Page.EvaluateAsync<double>("() => window.__platform.pixelToPage(10, 0).x - window.__platform.pixelToPage(0, 0).x");

    [GeneratedRegex(@"^\s*(49|50)(\.\d+)? mm")]
    private static partial Regex FiftyMillimetres();

    private static async Task DragAsync(ViewerPage viewer, (int Row, int Column) from, (int Row, int Column) to)
    {
        var start = await PlaceAsync(viewer, from);
        var end = await PlaceAsync(viewer, to);
        await viewer.Page.Mouse.MoveAsync(start.X, start.Y);
        await viewer.Page.Mouse.DownAsync();
        await viewer.Page.Mouse.MoveAsync((start.X + end.X) / 2, (start.Y + end.Y) / 2, new() { Steps = 5 });
        await viewer.Page.Mouse.MoveAsync(end.X, end.Y, new() { Steps = 5 });
        await viewer.Page.Mouse.UpAsync();
    }

    private static async Task<(float X, float Y)> PlaceAsync(ViewerPage viewer, (int Row, int Column) pixel)
    {
        var at = await viewer.Page.EvaluateAsync<JsonElement>("([row, column]) => window.__platform.pixelToPage(column, row)", new[] { pixel.Row, pixel.Column });
        return (at.GetProperty("x").GetSingle(), at.GetProperty("y").GetSingle());
    }

    private static async Task SwipeAsync(IPage page, double x, double fromY, double toY)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await TouchAsync("touchStart", fromY);
        for (var i = 1; i <= 6; i++) await TouchAsync("touchMove", fromY + (toY - fromY) * i / 6);
        await session.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object> { ["type"] = "touchEnd", ["touchPoints"] = Array.Empty<object>() });

        Task TouchAsync(string type, double y) => session.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object>
        {
            ["type"] = type,
            ["touchPoints"] = new[] { new Dictionary<string, object> { ["x"] = x, ["y"] = y } },
        });
    }
}
