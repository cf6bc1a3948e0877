using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Web.Tests.Support;

/// <summary>One answer that a page received.</summary>
/// <param name="Url">Whole address.</param>
/// <param name="Method">Request method.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="FromCache">Answered by the browser itself: no byte was sent.</param>
/// <param name="WireBytes">Bytes of header and body on the wire, coded as they were.</param>
public sealed record RecordedAnswer(string Url, string Method, int Status, bool FromCache, long WireBytes);

/// <summary>A page in a browser context of its own, with all that it asked for and all that it complained about.</summary>
public sealed class RecordedPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<RecordedAnswer> _answers = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentDictionary<string, (string Url, string Method, int Status, bool FromCache)> _open = new();
    private int _preflights;

    private RecordedPage(IPage page, string web, string imageApi)
    {
        Page = page;
        WebOrigin = web;
        ImageApiOrigin = imageApi;
    }

    public IPage Page { get; }

    public string WebOrigin { get; }

    public string ImageApiOrigin { get; }

    /// <summary>Errors and warnings on the console, violations of the content security policy among them, and uncaught exceptions.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Every answer whose body has arrived, in order.</summary>
    public IReadOnlyCollection<RecordedAnswer> Answers => _answers;

    /// <summary>Every address asked for, as "METHOD url".</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <summary>How many CORS preflights the browser sent.</summary>
    public int Preflights => _preflights;

    /// <summary>Requests for anything but Web and ImageApi; <c>data:</c> and <c>blob:</c> leave nothing.</summary>
    public IEnumerable<string> ForeignRequests => _requests.Where(request =>
    {
        var url = request[(request.IndexOf(' ') + 1)..];
        return !url.StartsWith(WebOrigin + "/", StringComparison.Ordinal) && !url.StartsWith(ImageApiOrigin + "/", StringComparison.Ordinal)
            && !url.StartsWith("data:", StringComparison.Ordinal) && !url.StartsWith("blob:", StringComparison.Ordinal);
    });

    /// <summary>Bytes of frames that came over the network.</summary>
    public long FrameBytes => _answers.Where(static answer => answer.Url.Contains("/frames/", StringComparison.Ordinal) && !answer.FromCache).Sum(static answer => answer.WireBytes);

    /// <summary>What an answer without a body takes, and more.</summary>
    public const long MostHeaderBytes = 1000;

    /// <summary>Bytes of preview streams that came over the network.</summary>
    public long PreviewBytes => _answers.Where(static answer => answer.Url.Contains("/preview", StringComparison.Ordinal) && !answer.FromCache).Sum(static answer => answer.WireBytes);

    /// <summary>Opens a path of Web.</summary>
    public Task<IResponse?> GoAsync(string path) => Page.GotoAsync(WebOrigin + path);

    /// <summary>Waits until the viewer shows an image. Polled from outside: the page's policy forbids the evaluation that
    /// Playwright's own waiting for a function puts into it.</summary>
    public async Task WaitForImageAsync()
    {
        const int tries = 600;
        for (var i = 0; i < tries; i++)
        {
            if (await Page.EvaluateAsync<string?>("() => window.__platform?.state") == "ready") return;
            await Task.Delay(50);
        }

        throw new TimeoutException("The viewer shows no image after 30 s: " + string.Join('\n', Complaints));
    }

    /// <summary>Forgets what was recorded so far.</summary>
    public void Reset()
    {
        _answers.Clear();
        _requests.Clear();
        _complaints.Clear();
        Interlocked.Exchange(ref _preflights, 0);
    }

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();

    internal static async Task<RecordedPage> CreateAsync(IBrowserContext context, string web, string imageApi)
    {
        var page = await context.NewPageAsync();
        var recorded = new RecordedPage(page, web, imageApi);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") recorded._complaints.Enqueue($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => recorded._complaints.Enqueue("uncaught: " + error);
        await recorded.RecordNetworkAsync(await context.NewCDPSessionAsync(page));
        return recorded;
    }

    // Playwright's own events leave out preflights and cache hits: the devtools protocol has both.
    private async Task RecordNetworkAsync(ICDPSession session)
    {
        session.Event("Network.requestWillBeSent").OnEvent += (_, e) =>
        {
            if (e is not { } message) return;
            var request = message.GetProperty("request");
            var (url, method) = (request.GetProperty("url").GetString()!, request.GetProperty("method").GetString()!);
            _requests.Enqueue($"{method} {url}");
            if (message.TryGetProperty("type", out var type) && type.GetString() == "Preflight") Interlocked.Increment(ref _preflights);
            _open[message.GetProperty("requestId").GetString()!] = (url, method, 0, false);
        };
        session.Event("Network.requestServedFromCache").OnEvent += (_, e) =>
        {
            if (e is { } message && _open.TryGetValue(Id(message), out var open)) _open[Id(message)] = open with { FromCache = true };
        };
        session.Event("Network.responseReceived").OnEvent += (_, e) =>
        {
            if (e is not { } message || !_open.TryGetValue(Id(message), out var open)) return;
            var response = message.GetProperty("response");
            var fromDisk = response.TryGetProperty("fromDiskCache", out var disk) && disk.GetBoolean();
            _open[Id(message)] = open with { Status = response.GetProperty("status").GetInt32(), FromCache = open.FromCache || fromDisk };
        };
        session.Event("Network.loadingFinished").OnEvent += (_, e) =>
        {
            if (e is not { } message || !_open.TryRemove(Id(message), out var open)) return;
            _answers.Enqueue(new RecordedAnswer(open.Url, open.Method, open.Status, open.FromCache, (long)message.GetProperty("encodedDataLength").GetDouble()));
        };
        await session.SendAsync("Network.enable");

        static string Id(System.Text.Json.JsonElement message) => message.GetProperty("requestId").GetString()!;
    }
}
