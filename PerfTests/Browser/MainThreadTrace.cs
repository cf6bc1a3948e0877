using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace PerfTests.Browser;

/// <summary>The longest task of the main thread in ms: by the clock, and the CPU time that the thread had in its own longest one.</summary>
internal readonly record struct LongestTask(double Milliseconds, double CpuMilliseconds)
{
    public LongestTask With(double milliseconds, double cpuMilliseconds) => new(Math.Max(Milliseconds, milliseconds), Math.Max(CpuMilliseconds, cpuMilliseconds));
}

/// <summary>The tasks of the page's main thread, as chromium's tracing saw them.</summary>
internal sealed class MainThreadTrace : IAsyncDisposable
{
    private readonly ICDPSession _session;
    private readonly ConcurrentQueue<JsonElement> _events = new();
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MainThreadTrace(ICDPSession session) => _session = session;

    public static async Task<MainThreadTrace> StartAsync(IPage page)
    {
        var trace = new MainThreadTrace(await page.Context.NewCDPSessionAsync(page));
        trace._session.Event("Tracing.dataCollected").OnEvent += (_, e) =>
        {
            if (e is { } message)
                foreach (var item in message.GetProperty("value").EnumerateArray()) trace._events.Enqueue(item.Clone());
        };
        trace._session.Event("Tracing.tracingComplete").OnEvent += (_, _) => trace._complete.TrySetResult();
        await trace._session.SendAsync("Tracing.start", new Dictionary<string, object>
        {
            ["transferMode"] = "ReportEvents",
            ["traceConfig"] = new { includedCategories = new[] { "toplevel", "blink.user_timing", "__metadata" }, recordMode = "recordUntilFull" },
        });
        return trace;
    }

    /// <summary>The longest task outside and within the start of the renderer, which the page has marked.</summary>
    /// <param name="renderer">From and to, on the page's clock; null where there was none.</param>
    public async Task<(LongestTask Page, LongestTask Renderer)> EndAsync((double Start, double End)? renderer)
    {
        await _session.SendAsync("Tracing.end");
        await _complete.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var mark = _events.FirstOrDefault(static e => Text(e, "name") == "platform:renderer" && Text(e, "ph") is "b" or "B");
        var page = mark.ValueKind == JsonValueKind.Object ? (Pid: mark.GetProperty("pid").GetInt32(), Start: mark.GetProperty("ts").GetDouble()) : default;
        var mainThreads = _events
            .Where(static e => Text(e, "ph") == "M" && Text(e, "name") == "thread_name" && e.GetProperty("args").GetProperty("name").GetString() == "CrRendererMain")
            .Select(static e => (e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32())).ToHashSet();
        LongestTask ofPage = default, ofRenderer = default;
        foreach (var task in _events.Where(static e => Text(e, "ph") == "X" && Text(e, "name") is "ThreadControllerImpl::RunTask"))
        {
            var thread = (Pid: task.GetProperty("pid").GetInt32(), task.GetProperty("tid").GetInt32());
            if (!mainThreads.Contains(thread) || (page.Pid != 0 && thread.Pid != page.Pid)) continue;
            var (start, duration, cpu) = (task.GetProperty("ts").GetDouble(), Number(task, "dur"), Number(task, "tdur"));
            var isRenderers = renderer is { } r && page.Pid != 0 && start + duration >= page.Start && start <= page.Start + ((r.End - r.Start) * 1000);
            if (isRenderers) ofRenderer = ofRenderer.With(duration / 1000, cpu / 1000);
            else ofPage = ofPage.With(duration / 1000, cpu / 1000);
        }

        return (ofPage, ofRenderer);
    }

    public async ValueTask DisposeAsync() => await _session.DetachAsync();

    private static double Number(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;
}
