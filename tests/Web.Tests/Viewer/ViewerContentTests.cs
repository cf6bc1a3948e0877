using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>What is not a plain stack of good slices, and who does not look with eyes alone.</summary>
[Collection(StackCollection.Name)]
public sealed class ViewerContentTests(StackFixture stack, ViewerStudy study) : IClassFixture<ViewerStudy>
{
    [BrowserFact]
    public async Task ColorFrames_OfOneInstance_ScrollAndKeepTheirColors()
    {
        _ = study;
        await using var viewer = await OpenAsync(ViewerStudy.ColorSeries);
        Assert.Equal(ViewerStudy.ColorFrames, await viewer.ReadAsync<int>("sliceCount"));
        for (var frame = 0; frame < ViewerStudy.ColorFrames; frame++)
        {
            await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", frame);
            await viewer.WaitForSliceAsync(frame);
            foreach (var row in new[] { 4, 20 })
            {
                var red = ViewerStudy.Red(frame, row);
                var color = await viewer.ColorAtAsync(row, 10);
                Assert.InRange(color[0], red - 1, red + 1);
                Assert.InRange(color[1], red + 39, red + 41);
                Assert.InRange(color[2], red + 79, red + 81);
            }
        }

        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task DamagedFrame_IsShownAsOne_AndTheSeriesGoesOn()
    {
        await using var viewer = await OpenAsync(ViewerStudy.BrokenSeries);
        Assert.Equal(ViewerStudy.BrokenSlice, Assert.Single(await viewer.ReadAsync<int[]>("failed")));
        await Assertions.Expect(viewer.Page.Locator(".v-bar-summary")).ToHaveTextAsync($"1 of {ViewerStudy.BrokenSlices} failed");
        await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", ViewerStudy.BrokenSlice);
        await Assertions.Expect(viewer.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync($"Slice {ViewerStudy.BrokenSlice + 1} cannot be shown");
        await Assertions.Expect(viewer.Tile).ToContainTextAsync("RLE");
        await Assertions.Expect(viewer.Tile).ToContainTextAsync($"The other {ViewerStudy.BrokenSlices - 1} slices are not affected.");
        await viewer.Page.Keyboard.PressAsync("ArrowDown");
        await viewer.WaitForSliceAsync(ViewerStudy.BrokenSlice + 1);
        await Assertions.Expect(viewer.Tile).ToBeHiddenAsync();
        Assert.Empty(viewer.Recorded.Complaints);
    }

    [BrowserFact]
    public async Task Documents_AreListedAsSuch()
    {
        await using var viewer = new ViewerPage(await stack.OpenAsync());
        await viewer.GoAsync(ViewerStudy.Study);
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "report" }).ClickAsync();
        await viewer.WaitAsync("p => p.state === 'empty'");
        await Assertions.Expect(viewer.Tile).ToContainTextAsync("This series has no images.");
        await viewer.Page.Keyboard.PressAsync("[");
        await viewer.WaitAsync($"p => p.series === '{ViewerStudy.BrokenSeries}' && p.state === 'ready'");
        await Assertions.Expect(viewer.Tile).ToBeHiddenAsync();
    }

    [BrowserFact]
    public async Task SeriesPanel_ShowsAThumbnailOfEverySeriesWithImages()
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy);
        await viewer.SettleAsync();
        await viewer.WaitForAsync("() => document.querySelectorAll('.v-thumbnail[data-state=shown]').length === 2");
        var colors = await viewer.Page.EvaluateAsync<int>(
            """
            () => Math.min(...[...document.querySelectorAll('.v-thumbnail')].map(image => {
              const canvas = new OffscreenCanvas(56, 56).getContext('2d');
              canvas.drawImage(image, 0, 0, 56, 56);
              return new Set(canvas.getImageData(0, 0, 56, 56).data).size;
            }))
            """);
        Assert.True(colors > 2, "a thumbnail is of one colour");
    }

    [BrowserTheory]
    [InlineData(1280, 800)]
    [InlineData(390, 844)]
    public async Task Axe_FindsNothing(int width, int height)
    {
        await using var viewer = await ViewerPage.OpenAsync(stack, SyntheticStudies.CtStudy, options => options.ViewportSize = new() { Width = width, Height = height });
        await viewer.SettleAsync();
        await AssertAccessibleAsync(viewer, "image");
        await viewer.Page.Locator(".v-first").ClickAsync();
        await AssertAccessibleAsync(viewer, "first image's steps");
        await viewer.Page.Keyboard.PressAsync("Escape");
        await viewer.Page.Keyboard.PressAsync("?");
        await AssertAccessibleAsync(viewer, "help");
        await viewer.Page.Keyboard.PressAsync("Escape");
        await viewer.GoAsync(ViewerStudy.Study);
        await viewer.Page.EvaluateAsync("() => document.querySelectorAll('.v-series-row')[1].click()");
        await viewer.WaitAsync($"p => p.series === '{ViewerStudy.BrokenSeries}' && p.isComplete");
        await viewer.Page.EvaluateAsync("slice => window.__platform.goTo(slice)", ViewerStudy.BrokenSlice);
        await Assertions.Expect(viewer.Tile).ToBeVisibleAsync();
        await AssertAccessibleAsync(viewer, "damaged frame");
    }

    private async Task<ViewerPage> OpenAsync(string series)
    {
        var viewer = await ViewerPage.OpenAsync(stack, ViewerStudy.Study);
        for (var i = 0; i < 4 && await viewer.ReadAsync<string>("series") != series; i++)
        {
            var before = await viewer.ReadAsync<string>("series");
            await viewer.Page.Keyboard.PressAsync("]");
            await viewer.WaitAsync($"p => p.series !== '{before}'");
        }

        await viewer.WaitAsync("p => p.state === 'ready'");
        await viewer.SettleAsync();
        return viewer;
    }

    private static async Task AssertAccessibleAsync(ViewerPage viewer, string what)
    {
        var result = await viewer.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, what + ": " + string.Join("; ", result.Violations.Select(static violation =>
            $"{violation.Id} ({violation.Help}) at {string.Join(", ", violation.Nodes.Select(static node => node.Html[..Math.Min(120, node.Html.Length)]))}")));
    }
}
