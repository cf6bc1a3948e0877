using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Volumes;

[Collection(StackCollection.Name)]
public sealed class ComparePageTests(StackFixture stack)
{
    private const string Compare = "/volumes/compare?volume=demo-files%2Fhead-t1.nii.gz";

    [BrowserFact]
    public async Task Run_SlowServer_ShowsBothTimesAndTheCacheIsFaster()
    {
        await using var page = new VolumePage(await stack.OpenAsync());
        await page.GoAsync(Compare, "done");

        Assert.Matches("^[0-9.]+ m?s · origin$", await page.Page.InnerTextAsync("[data-value=without]"));
        Assert.Matches("^[0-9.]+ m?s · (memory|disk)$", await page.Page.InnerTextAsync("[data-value=with]"));
        Assert.Matches("times as fast through the cache", await page.Page.InnerTextAsync("#verdict"));
        var widths = await page.Page.EvaluateAsync<double[]>("() => ['without', 'with'].map((side) => document.querySelector(`[data-bar=${side}]`).getBoundingClientRect().width)");
        Assert.True(widths[1] < widths[0] / 2, $"The bars are {widths[0]} and {widths[1]} wide.");
        foreach (var side in new[] { "without", "with" })
        {
            // The brain of the upper left picture, beside the crosshair; and nothing beside the pictures.
            Assert.InRange(await page.BrightnessAsync($"#{side} canvas", 0.32, 0.2), 60, 255);
            Assert.InRange(await page.BrightnessAsync($"#{side} canvas", 0.02, 0.5), 0, 5);
            await Expect(page.Page.Locator($"#{side}")).ToHaveAttributeAsync("data-state", "ready");
        }
        Assert.Empty(page.Recorded.Complaints);

        // Without the cache means so every time.
        await page.Page.ClickAsync("#again");
        await page.WaitForStateAsync("done");
        await Expect(page.Page.Locator("[data-value=without]")).ToHaveTextAsync(new Regex("origin$"));
    }

    public static TheoryData<string, ColorScheme, int> Pages()
    {
        var data = new TheoryData<string, ColorScheme, int>();
        foreach (var path in new[] { "/volumes?volume=scans%2Fsides.nii.gz", Compare, "/volumes?volume=none" })
            foreach (var (scheme, width) in new[] { (ColorScheme.Dark, 1280), (ColorScheme.Light, 390) })
                data.Add(path, scheme, width);
        return data;
    }

    [BrowserTheory]
    [MemberData(nameof(Pages))]
    public async Task Run_Axe_FindsNothing(string path, ColorScheme scheme, int width)
    {
        await using var page = new VolumePage(await stack.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.ViewportSize = new() { Width = width, Height = 800 };
            options.BypassCSP = true; // axe is injected as a script
        }));
        if (path.EndsWith("none", StringComparison.Ordinal)) await page.Recorded.GoAsync(path);
        else await page.GoAsync(path, path == Compare ? "done" : "ready");
        if (Environment.GetEnvironmentVariable("PLATFORM_SCREENSHOTS") is { Length: > 0 } folder)
            await page.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{(path == Compare ? "compare" : path.EndsWith("none", StringComparison.Ordinal) ? "none" : "volumes")}-{width}.png"), FullPage = true });

        var result = await page.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(static violation =>
            $"{violation.Id}: {violation.Help}: {string.Join(", ", violation.Nodes.Select(static node => node.Html))}")));
    }
}
