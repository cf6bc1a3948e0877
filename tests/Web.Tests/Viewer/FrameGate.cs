using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Web.Tests.Viewer;

/// <summary>Holds back requests for frames between browser and service until it is opened; nothing about them is changed.</summary>
internal sealed class FrameGate : IAsyncDisposable
{
    private readonly ConcurrentQueue<IRoute> _held = new();
    private readonly int _passFirst;
    private readonly string? _only;
    private int _seen;
    private volatile bool _isOpen;

    private FrameGate(int passFirst, string? only)
    {
        _passFirst = passFirst;
        _only = only;
    }

    public int Waiting => _held.Count;

    public int MostWaiting { get; private set; }

    /// <summary>Lets the first <paramref name="passFirst"/> frames through and holds the rest, of one series or of all.</summary>
    public static async Task<FrameGate> CloseAsync(IPage page, int passFirst, string? only = null)
    {
        var gate = new FrameGate(passFirst, only);
        await page.RouteAsync("**/frames/**", gate.HandleAsync);
        return gate;
    }

    public async Task OpenAsync()
    {
        _isOpen = true;
        while (_held.TryDequeue(out var route)) await ContinueAsync(route);
    }

    public async ValueTask DisposeAsync() => await OpenAsync();

    private Task HandleAsync(IRoute route)
    {
        var isOurs = _only is null || route.Request.Url.Contains($"/series/{_only}/", StringComparison.Ordinal);
        if (_isOpen || !isOurs || Interlocked.Increment(ref _seen) <= _passFirst) return ContinueAsync(route);
        _held.Enqueue(route);
        MostWaiting = Math.Max(MostWaiting, _held.Count);
        return Task.CompletedTask;
    }

    // The page may have aborted the request meanwhile, or be gone.
    private static async Task ContinueAsync(IRoute route)
    {
        try
        {
            await route.ContinueAsync();
        }
        catch (PlaywrightException)
        {
        }
    }
}
