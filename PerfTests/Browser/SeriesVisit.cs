using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace PerfTests.Browser;

/// <summary>Times of one visit in ms since the click; bytes as they were on the wire.</summary>
/// <param name="FirstPictureMs">Until the canvas showed more than one colour.</param>
/// <param name="UsableMs">Until every slice had a picture to show.</param>
/// <param name="LosslessMs">Until every slice was there whole.</param>
/// <param name="ImageBytes">Of frames and previews.</param>
/// <param name="OtherBytes">Of page, code, manifest and thumbnails.</param>
/// <param name="PageTask">On the main thread while the series loaded, the start of the renderer apart; null where it was not traced.</param>
/// <param name="RendererTask">While the renderer (WebGL) started.</param>
internal sealed record Visit(double FirstPictureMs, double UsableMs, double LosslessMs, long ImageBytes, long OtherBytes, LongestTask? PageTask, LongestTask? RendererTask);

/// <summary>One person's browser: opens the study list, clicks on a study, and watches the canvas.</summary>
internal sealed class SeriesVisit(string web, string imageApi)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    // The moment of the click survives the navigation; the pixels decide when there is a picture: a canvas of one colour is none.
    private const string Watch =
        """
        (() => {
          addEventListener('click', () => sessionStorage.setItem('clicked', String(performance.timeOrigin + performance.now())), { capture: true });
          const at = (now) => performance.timeOrigin + now - Number(sessionStorage.getItem('clicked'));
          const seen = (window.__seen = { first: undefined, usable: undefined, lossless: undefined, renderer: undefined });
          const probe = new OffscreenCanvas(32, 32).getContext('2d', { willReadFrequently: true });
          const hasPicture = (canvas) => {
            probe.clearRect(0, 0, 32, 32);
            probe.drawImage(canvas, 0, 0, 32, 32);
            const { data } = probe.getImageData(0, 0, 32, 32);
            const levels = new Set();
            for (let i = 0; i < data.length; i += 4) {
              levels.add(data[i]);
            }
            return levels.size > 4;
          };
          const look = () => {
            const viewer = window.__platform;
            const canvas = viewer?.canvas();
            if (seen.first === undefined && canvas?.width > 1 && hasPicture(canvas)) {
              seen.first = at(performance.now());
            }
            if (viewer?.usableAt !== undefined) seen.usable ??= at(viewer.usableAt);
            if (viewer?.completeAt !== undefined) seen.lossless ??= at(viewer.completeAt);
            seen.renderer ??= performance.getEntriesByName('platform:renderer')[0]?.toJSON();
            if (seen.first === undefined || seen.lossless === undefined || !viewer.areToolsReady) requestAnimationFrame(look);
          };
          if (location.pathname.startsWith('/view/')) requestAnimationFrame(look);
        })();
        """;

    /// <summary>Opens the list, clicks on <paramref name="study"/>, and waits for all of it; page code is in this context's cache when it has been to a study before.</summary>
    public async Task<Visit> GoAsync(IBrowserContext context, string study, Func<IPage, Task>? prepare, bool isTraced, CancellationToken cancellationToken)
    {
        var page = await context.NewPageAsync();
        try
        {
            await page.AddInitScriptAsync(Watch);
            if (prepare is not null) await prepare(page);
            var bytes = new Received(imageApi);
            await bytes.ListenAsync(await context.NewCDPSessionAsync(page));
            await page.GotoAsync(web + "/");
            var link = page.Locator($"tr[data-study='{study}'] a.row-link");
            await link.WaitForAsync();
            await page.WaitForTimeoutAsync(500); // the list's own pictures
            bytes.Reset();
            await using var trace = isTraced ? await MainThreadTrace.StartAsync(page) : null;
            // Dispatched, not moved to: a pointer that rests on the row would fetch ahead.
            await link.EvaluateAsync("link => link.click()");
            var seen = await WaitAsync(page, cancellationToken);
            var tasks = trace is null ? ((LongestTask Page, LongestTask Renderer)?)null : await trace.EndAsync(RendererOf(seen));
            return new Visit(Number(seen, "first"), Number(seen, "usable"), Number(seen, "lossless"), bytes.Images, bytes.Others, tasks?.Page, tasks?.Renderer);
        }
        finally
        {
            await page.CloseAsync();
        }
    }

    private static async Task<JsonElement> WaitAsync(IPage page, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (await page.EvaluateAsync<bool>("() => location.pathname.startsWith('/view/') && window.__seen?.first !== undefined && window.__seen.lossless !== undefined && window.__platform.areToolsReady && window.__platform.failed.length === 0"))
                {
                    await page.WaitForTimeoutAsync(200);
                    return await page.EvaluateAsync<JsonElement>("() => window.__seen");
                }
            }
            catch (PlaywrightException) when (TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                // Between two pages.
            }

            if (TimeProvider.System.GetElapsedTime(started) > Patience) throw new TimeoutException("The series did not come: " + await page.EvaluateAsync<JsonElement>("() => ({ ...window.__seen, failed: window.__platform?.failed })"));
            await Task.Delay(100, cancellationToken); // seldom: what asks shares the page's thread
        }
    }

    private static double Number(JsonElement seen, string name) => seen.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    private static (double Start, double End)? RendererOf(JsonElement seen) =>
        seen.TryGetProperty("renderer", out var renderer) && renderer.ValueKind == JsonValueKind.Object
            ? (renderer.GetProperty("startTime").GetDouble(), renderer.GetProperty("startTime").GetDouble() + renderer.GetProperty("duration").GetDouble())
            : null;

    /// <summary>Bytes on the wire by kind, as the browser's devtools count them.</summary>
    private sealed class Received(string imageApi)
    {
        private readonly ConcurrentDictionary<string, string> _urls = new();
        private long _images;
        private long _others;

        public long Images => Interlocked.Read(ref _images);

        public long Others => Interlocked.Read(ref _others);

        public void Reset()
        {
            Interlocked.Exchange(ref _images, 0);
            Interlocked.Exchange(ref _others, 0);
        }

        public async Task ListenAsync(ICDPSession session)
        {
            session.Event("Network.requestWillBeSent").OnEvent += (_, e) =>
            {
                if (e is { } message) _urls[message.GetProperty("requestId").GetString()!] = message.GetProperty("request").GetProperty("url").GetString()!;
            };
            session.Event("Network.loadingFinished").OnEvent += (_, e) =>
            {
                if (e is not { } message || !_urls.TryRemove(message.GetProperty("requestId").GetString()!, out var url)) return;
                var length = (long)message.GetProperty("encodedDataLength").GetDouble();
                var isImage = url.StartsWith(imageApi, StringComparison.Ordinal) && (url.Contains("/frames/", StringComparison.Ordinal) || url.Contains("/preview", StringComparison.Ordinal));
                Interlocked.Add(ref isImage ? ref _images : ref _others, length);
            };
            await session.SendAsync("Network.enable");
        }
    }
}
