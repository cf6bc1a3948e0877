using System.Text.Json;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Web.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace Web.Tests.Slides;

[Collection(StackCollection.Name)]
public sealed class SlidesPageTests(StackFixture stack)
{
    private const string Slide = "/slides?series=" + SyntheticStudies.SlideSeries;

    [Fact]
    public async Task Get_WithoutScripts_ListsSlidesAndSaysWhatIsMissing()
    {
        using var http = new HttpClient { BaseAddress = stack.Web.Address };
        var page = await http.GetStringAsync("slides");
        Assert.Contains("Slide for tests", page, StringComparison.Ordinal);
        Assert.Contains("FARROW, P59", page, StringComparison.Ordinal);
        Assert.Contains("drawn by this page", page, StringComparison.Ordinal);
        using var absent = await http.GetAsync("slides?series=1.2.3");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, absent.StatusCode);
        Assert.Contains("No such slide", await absent.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [BrowserFact]
    public async Task Open_ASlide_DrawsItAndFollowsKeysAndButtons()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await recorded.GoAsync(Slide);
        await WaitAsync(page, "state === 'ready' && window.__slides.loading === 0");
        await Expect(page.Locator("#facts")).ToContainTextAsync("1,000 × 700 px");
        await Expect(page.Locator("#facts")).ToContainTextAsync("500 µm × 350 µm");
        await WaitForColoursAsync(page, (0.5, 0.5, "red"), (0.2, 0.5, "blue"));
        var fitted = (await ReadAsync(page)).GetProperty("zoom").GetDouble();

        await page.Keyboard.PressAsync("1");
        await WaitAsync(page, "zoom === 1");
        await Expect(page.Locator("#magnification")).ToHaveTextAsync("20×");
        await Expect(page.Locator("#scale-text")).ToHaveTextAsync("50 µm");
        Assert.Equal(100, (await page.Locator("#scale-bar").BoundingBoxAsync())!.Width, 1);
        for (var i = 0; i < 2; i++) await page.Keyboard.PressAsync("ArrowRight");
        await WaitForColoursAsync(page, (0.5, 0.5, "blue"));
        await page.ClickAsync("#fit");
        await WaitAsync(page, $"Math.abs(zoom - {fitted.ToString(System.Globalization.CultureInfo.InvariantCulture)}) < 0.001");
        await page.ClickAsync("#zoom-in");
        await WaitAsync(page, $"zoom > {(1.4 * fitted).ToString(System.Globalization.CultureInfo.InvariantCulture)}");

        Assert.Empty(recorded.Complaints);
        Assert.Empty(recorded.ForeignRequests);
        Assert.Equal(0, recorded.Preflights);
    }

    [BrowserFact]
    public async Task Open_TilesFail_SaysSoAndTriesAgain()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        var isBroken = true;
        await page.RouteAsync("**/tiles/**", route => isBroken ? route.FulfillAsync(new() { Status = 503, Body = "", Headers = [new("Access-Control-Allow-Origin", "*")] }) : route.ContinueAsync());
        await recorded.GoAsync(Slide);
        await Expect(page.Locator("#tiles")).ToContainTextAsync("missing", new() { Timeout = 30_000 });
        isBroken = false;
        await page.ClickAsync("#retry");
        await WaitForColoursAsync(page, (0.5, 0.5, "red"), (0.2, 0.5, "blue"));
        await Expect(page.Locator("#retry")).ToBeHiddenAsync();
    }

    [BrowserFact]
    public async Task Open_DescriptionFails_SaysWhyAndTriesAgain()
    {
        await using var recorded = await stack.OpenAsync();
        var page = recorded.Page;
        await page.RouteAsync("**/slide?**", route => route.FulfillAsync(new()
        {
            Status = 422,
            ContentType = "application/problem+json",
            Headers = [new("Access-Control-Allow-Origin", "*")],
            Body = """{"detail":"Its instances lie."}""",
        }), new() { Times = 1 });
        await recorded.GoAsync(Slide);
        await Expect(page.Locator("#failed-reason")).ToHaveTextAsync("Its instances lie.");
        await page.ClickAsync("#again");
        await WaitAsync(page, "state === 'ready'");
        await Expect(page.Locator("#failed")).ToBeHiddenAsync();
    }

    [BrowserTheory]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    public async Task Run_Axe_FindsNothing(ColorScheme scheme, int width)
    {
        await using var recorded = await stack.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.ViewportSize = new() { Width = width, Height = 800 };
            options.BypassCSP = true; // axe is injected as a script
        });
        await recorded.GoAsync(Slide);
        await WaitAsync(recorded.Page, "state === 'ready'");
        var result = await recorded.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(static violation => $"{violation.Id}: {string.Join(", ", violation.Nodes.Select(static node => node.Html))}")));
    }

    private static Task<JsonElement> ReadAsync(IPage page) => page.EvaluateAsync<JsonElement>("() => window.__slides");

    /// <summary>Polled from outside: the page's policy forbids more.</summary>
    private static async Task WaitAsync(IPage page, string condition)
    {
        for (var i = 0; i < 600; i++)
        {
            if (await page.EvaluateAsync<bool>($"() => {{ const {{ state, zoom }} = window.__slides ?? {{}}; return {condition}; }}")) return;
            await Task.Delay(50);
        }
        throw new TimeoutException($"Not {condition}: {await page.EvaluateAsync<string>("() => JSON.stringify(window.__slides)")}\n{await page.InnerTextAsync("main")}");
    }

    private static async Task WaitForColoursAsync(IPage page, params (double X, double Y, string Colour)[] points)
    {
        string[] seen = [];
        for (var i = 0; i < 60; i++)
        {
            var picture = Convert.ToBase64String(await page.Locator("#view").ScreenshotAsync());
            seen = await page.EvaluateAsync<string[]>(
                """
                async ([picture, points]) => {
                  const image = new Image();
                  image.src = 'data:image/png;base64,' + picture;
                  await image.decode();
                  const copy = new OffscreenCanvas(image.width, image.height).getContext('2d', { willReadFrequently: true });
                  copy.drawImage(image, 0, 0);
                  return points.map(([x, y]) => {
                    const [r, g, b] = copy.getImageData(Math.floor(x * image.width), Math.floor(y * image.height), 1, 1).data;
                    return r > 200 && g < 60 && b < 60 ? 'red' : b > 200 && r < 60 && g < 60 ? 'blue' : `${r} ${g} ${b}`;
                  });
                }
                """,
                new object[] { picture, points.Select(static point => new[] { point.X, point.Y }).ToArray() });
            if (seen.SequenceEqual(points.Select(static point => point.Colour))) return;
            await Task.Delay(250);
        }
        Assert.Equal(points.Select(static point => point.Colour), seen);
    }
}
