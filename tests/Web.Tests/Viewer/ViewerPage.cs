using System.Diagnostics;
using System.Text.Json;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Viewer;

/// <summary>The viewer's page, with the hooks that it offers to tests (<c>window.__platform</c>). Slices are 0-based.</summary>
internal sealed class ViewerPage(RecordedPage recorded) : IAsyncDisposable
{
    // The software renderer shares its cores with everything else on the machine.
    private const float Patience = 60_000;

    public RecordedPage Recorded => recorded;

    public IPage Page => recorded.Page;

    public ILocator Viewport => Page.Locator("#viewport");

    public ILocator LoadBar => Page.GetByRole(AriaRole.Slider);

    /// <summary>The tile that stands where the image cannot.</summary>
    public ILocator Tile => Page.Locator(".v-message:not([hidden]) .v-message-box");

    /// <summary>Opens a study and waits for its first picture.</summary>
    public static async Task<ViewerPage> OpenAsync(StackFixture stack, string study, Action<BrowserNewContextOptions>? configure = null)
    {
        var viewer = new ViewerPage(await stack.OpenAsync(configure));
        await viewer.GoAsync(study);
        return viewer;
    }

    public async Task GoAsync(string study)
    {
        await recorded.GoAsync("/view/" + study);
        await WaitAsync("p => p.state !== 'loading'");
    }

    /// <summary>Waits until Cornerstone3D draws, the tools are there and every frame has come or failed, and what is shown is no preview.</summary>
    public Task SettleAsync() => WaitAsync("p => p.areToolsReady && p.isComplete && ((p.shownSlice === p.currentSlice && !p.isPreview) || p.failed.includes(p.currentSlice))");

    public Task WaitAsync(string condition) => WaitForAsync($"() => !!window.__platform && !!({condition})(window.__platform)");

    /// <summary>
    /// Asks the page until it says yes. Playwright's own waiting compiles its condition inside the page, which the page's content
    /// security policy refuses.
    /// </summary>
    public async Task WaitForAsync(string condition, object? argument = null)
    {
        var patience = Stopwatch.StartNew();
        while (!await Page.EvaluateAsync<bool>(condition, argument))
        {
            if (patience.ElapsedMilliseconds > Patience) throw new TimeoutException($"The page never said yes to: {condition}");
            await Task.Delay(30);
        }
    }

    public Task<T> ReadAsync<T>(string property) => Page.EvaluateAsync<T>($"() => window.__platform.{property}");

    public Task WaitForSliceAsync(int slice) => WaitAsync($"p => p.currentSlice === {slice} && p.shownSlice === {slice}");

    /// <summary>Red, green and blue on the canvas at the centre of an image pixel.</summary>
    public async Task<int[]> ColorAtAsync(int row, int column) => (await ColorsAtAsync([(row, column)]))[0];

    /// <summary>Colours on the canvas at the centres of image pixels.</summary>
    public async Task<int[][]> ColorsAtAsync(IReadOnlyList<(int Row, int Column)> pixels)
    {
        var json = await Page.EvaluateAsync<JsonElement>(
            """
            pixels => {
              const canvas = window.__platform.canvas();
              const box = canvas.getBoundingClientRect();
              // From a copy: reading the canvas itself often makes the browser warn, and move it off the GPU.
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
              return pixels.map(([row, column]) => {
                const at = window.__platform.pixelToPage(column, row);
                const x = Math.floor((at.x - box.left) * canvas.width / box.width);
                const y = Math.floor((at.y - box.top) * canvas.height / box.height);
                return Array.from(data.subarray(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 3));
              });
            }
            """,
            pixels.Select(static pixel => new[] { pixel.Row, pixel.Column }).ToArray());
        return json.Deserialize<int[][]>()!;
    }

    public async ValueTask DisposeAsync() => await recorded.DisposeAsync();
}
