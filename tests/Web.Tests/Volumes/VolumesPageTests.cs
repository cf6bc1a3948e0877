using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Volumes;

[Collection(StackCollection.Name)]
public sealed class VolumesPageTests(StackFixture stack)
{
    private const string Demo = "/volumes?volume=demo-files%2Fhead-t1.nii";
    private const string Sides = "/volumes?volume=scans%2Fsides.nii.gz";

    /// <summary>Once from the slow server, and from us for the next person, who waits less.</summary>
    [BrowserFact]
    public async Task Open_FromASlowServer_TellsProgressAndWhereItCameFrom()
    {
        await using var first = await OpenAsync();
        // Notes what the progress says while it says it.
        await first.Page.AddInitScriptAsync("""
            window.said = [];
            new MutationObserver(() => {
              const text = document.getElementById('progress-bytes')?.textContent;
              if (text && text !== window.said.at(-1)) window.said.push(text);
            }).observe(document, { subtree: true, childList: true, characterData: true });
            """);
        await first.GoAsync(Demo);

        Assert.Matches("^1\\.5 MB from the origin in [0-9.]+ s$", await first.Page.InnerTextAsync("#source"));
        var said = await first.Page.EvaluateAsync<string[]>("() => window.said");
        Assert.Contains(said, static text => Regex.IsMatch(text, "^[0-9.]+ (KB|MB) of 1\\.5 MB$") && !text.StartsWith("1.5", StringComparison.Ordinal));
        Assert.Equal("1.5 MB of 1.5 MB", said[^1]);
        await first.Page.ClickAsync("#source");
        await Expect(first.Page.Locator("#steps")).ToContainTextAsync("Receiving");

        await using var second = await OpenAsync();
        await second.GoAsync(Demo);
        Assert.Matches("^1\\.5 MB from (memory|disk) in ", await second.Page.InnerTextAsync("#source"));
        Assert.True((await second.ReadAsync()).GetProperty("ms").GetDouble() < (await first.ReadAsync()).GetProperty("ms").GetDouble());
        Assert.Empty(second.Recorded.Complaints);
        Assert.Empty(second.Recorded.ForeignRequests);
        Assert.Equal(0, second.Recorded.Preflights);
    }

    /// <summary>Left is left: the patient's left is bright, and stands on the left of an axial slice under an L.</summary>
    [BrowserFact]
    public async Task Show_Axial_PutsLeftOnTheLeft()
    {
        await using var page = await OpenAsync();
        await page.GoAsync(Sides);
        await page.Page.ClickAsync("[data-view=axial]");
        await Expect(page.Page.Locator("[data-view=axial]")).ToHaveAttributeAsync("aria-pressed", "true");

        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 200, 255);
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.6, 0.3), 0, 60);
        Assert.Empty(page.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Keys_MoveTurnAndReset_DoSo()
    {
        await using var page = await OpenAsync();
        await page.GoAsync(Sides);
        await page.Page.FocusAsync("#canvas");
        await page.Page.Keyboard.PressAsync("ArrowLeft"); // the middle lies between two voxels: onto one
        var before = await CrosshairAsync(page);

        await page.Page.Keyboard.PressAsync("ArrowRight");
        var right = await CrosshairAsync(page);
        Assert.Equal(2, right.X - before.X, 1);
        await page.Page.Keyboard.PressAsync("PageUp");
        await page.Page.Keyboard.PressAsync("ArrowUp");
        var up = await CrosshairAsync(page);
        Assert.Equal(right, up with { Y = Math.Round(up.Y - 2, 1), Z = Math.Round(up.Z - 2, 1) });
        await Expect(page.Page.Locator("#location")).ToHaveTextAsync(new Regex("^-?[0-9.]+ -?[0-9.]+ -?[0-9.]+ mm · value (1000|10[01])$"));

        await page.Page.Keyboard.PressAsync("2");
        await Expect(page.Page.Locator("[data-view=axial]")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.Page.Keyboard.PressAsync("i");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 0, 60);

        await page.Page.Keyboard.PressAsync("r");
        await Expect(page.Page.Locator("[data-view=all]")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.Page.Keyboard.PressAsync("2");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 200, 255);

        await page.Page.Keyboard.PressAsync("?");
        await Expect(page.Page.Locator("#keys")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task Window_TypedAndReset_ChangesThePicture()
    {
        await using var page = await OpenAsync();
        await page.GoAsync(Sides);
        await page.Page.ClickAsync("[data-view=axial]");
        await page.Page.FillAsync("#window-to", "2000");
        await page.Page.FillAsync("#window-from", "0");
        await page.Page.PressAsync("#window-from", "Tab");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 110, 145); // 1000 of 0 to 2000

        await page.Page.FillAsync("#window-to", "-5");
        await page.Page.PressAsync("#window-to", "Tab");
        await Expect(page.Page.Locator("#window-to")).ToHaveAttributeAsync("aria-invalid", "true");

        await page.Page.ClickAsync("#reset");
        await page.Page.ClickAsync("[data-view=axial]");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 200, 255);

        await page.Page.SelectOptionAsync("#colormap", "viridis");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.6, 0.3), 30, 120); // its lowest is purple, not black
    }

    [BrowserFact]
    public async Task Open_Pair_IsShown()
    {
        await using var page = await OpenAsync();
        await page.GoAsync("/volumes?volume=scans%2Fpair.hdr");
        await page.Page.ClickAsync("[data-view=axial]");
        Assert.InRange(await page.BrightnessAsync("#canvas", 0.4, 0.3), 200, 255);
    }

    [BrowserFact]
    public async Task Open_OrientationNotStated_SaysSo()
    {
        await using var page = await OpenAsync();
        await page.GoAsync("/volumes?volume=scans%2Funstated.nii");
        await Expect(page.Page.Locator("#volume-note")).ToHaveTextAsync("This file does not state its orientation: left and right may be exchanged.");
    }

    [BrowserFact]
    public async Task Open_Broken_SaysSoInWords()
    {
        await using var page = await OpenAsync();
        await page.GoAsync("/volumes?volume=scans%2Fbroken.nii", "failed");
        await Expect(page.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("broken.nii cannot be shown");
        await Expect(page.Page.Locator("#loading a")).ToHaveTextAsync("Try again");
    }

    [BrowserFact]
    public async Task Cancel_WhileItLoads_Stops()
    {
        await using var page = await OpenAsync();
        await page.Page.RouteAsync("**/files/**", static async route =>
        {
            await Task.Delay(2000);
            try
            {
                await route.ContinueAsync();
            }
            catch (PlaywrightException)
            {
                // The page has let go of it, as it should.
            }
        });
        await page.Recorded.GoAsync(Sides);
        await page.Page.ClickAsync("#cancel");
        await page.WaitForStateAsync("cancelled");
        await Expect(page.Page.Locator("#loading a")).ToHaveTextAsync("Load it");
    }

    [BrowserFact]
    public async Task Open_UnknownVolume_IsAPageThatSaysSo()
    {
        await using var page = await OpenAsync();
        var answer = await page.Recorded.GoAsync("/volumes?volume=scans%2Fnone.nii");
        Assert.Equal(404, answer!.Status);
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("No such volume");
    }

    [BrowserFact]
    public async Task Open_WithoutScripts_ListsTheVolumes()
    {
        await using var recorded = await stack.OpenAsync(static options => options.JavaScriptEnabled = false);
        await recorded.GoAsync("/volumes");
        await Expect(recorded.Page.Locator(".volume-list a")).ToHaveCountAsync(6);
        await Expect(recorded.Page.Locator(".volume-loading")).ToContainTextAsync("Switch on JavaScript");
    }

    /// <summary>Nothing moves from the first paint until the volume is there.</summary>
    [BrowserTheory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Open_AnyWidth_ShiftsNothing(int width)
    {
        await using var page = await OpenAsync(width);
        await page.Page.AddInitScriptAsync("""
            window.shifts = 0;
            new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifts += entry.value; }).observe({ type: 'layout-shift', buffered: true });
            """);
        await page.GoAsync(Sides);
        Assert.InRange(await page.Page.EvaluateAsync<double>("() => window.shifts"), 0, 0.02);
        Assert.Equal(width, await page.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
    }

    private async Task<VolumePage> OpenAsync(int width = 1280) => new(await stack.OpenAsync(options => options.ViewportSize = new() { Width = width, Height = 800 }));

    private static async Task<(double X, double Y, double Z)> CrosshairAsync(VolumePage page)
    {
        var mm = (await page.ReadAsync()).GetProperty("crosshair").GetProperty("mm");
        return (Math.Round(mm[0].GetDouble(), 1), Math.Round(mm[1].GetDouble(), 1), Math.Round(mm[2].GetDouble(), 1));
    }
}
