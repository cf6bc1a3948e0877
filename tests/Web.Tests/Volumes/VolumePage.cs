using System.Text.Json;
using Microsoft.Playwright;
using Web.Tests.Support;

namespace Web.Tests.Volumes;

/// <summary>One of the volume pages in a browser, with what the tests read of it.</summary>
internal sealed class VolumePage(RecordedPage recorded) : IAsyncDisposable
{
    public RecordedPage Recorded => recorded;
    public IPage Page => recorded.Page;

    /// <summary>Opens an address and waits until the page's state is one of these. Polled from outside: the page's policy forbids more.</summary>
    public async Task GoAsync(string path, string state = "ready")
    {
        await recorded.GoAsync(path);
        await WaitForStateAsync(state);
    }

    public async Task WaitForStateAsync(string state)
    {
        string? now = null;
        for (var i = 0; i < 1200; i++)
        {
            now = await Page.EvaluateAsync<string?>("() => window.__volumes?.state");
            if (now == state) return;
            if (now == "failed" && state != "failed") break;
            await Task.Delay(50);
        }
        throw new TimeoutException($"The page is {now}, not {state}: {await Page.InnerTextAsync("main")}\n{string.Join('\n', recorded.Complaints)}");
    }

    public Task<JsonElement> ReadAsync() => Page.EvaluateAsync<JsonElement>("() => window.__volumes");

    /// <summary>Brightness, 0 to 255, of a point of an element as a person sees it; both coordinates 0 to 1.</summary>
    public async Task<double> BrightnessAsync(string selector, double x, double y)
    {
        var picture = Convert.ToBase64String(await Page.Locator(selector).ScreenshotAsync());
        return await Page.EvaluateAsync<double>(
            """
            async ([picture, x, y]) => {
              const image = new Image();
              image.src = 'data:image/png;base64,' + picture;
              await image.decode();
              const copy = new OffscreenCanvas(image.width, image.height).getContext('2d');
              copy.drawImage(image, 0, 0);
              const [r, g, b] = copy.getImageData(Math.floor(x * image.width), Math.floor(y * image.height), 1, 1).data;
              return (r + g + b) / 3;
            }
            """,
            new object[] { picture, x, y });
    }

    public ValueTask DisposeAsync() => recorded.DisposeAsync();
}
