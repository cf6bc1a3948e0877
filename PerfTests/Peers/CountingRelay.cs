using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PerfTests.Peers;

/// <summary>Stands between caches and their origin, passes everything on, and counts the requests for frames.</summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private static readonly string[] ToOrigin = ["Accept", "Range", "If-Range", "If-None-Match", "If-Modified-Since"];
    private static readonly string[] ToCache = ["Content-Type", "Content-Range", "ETag", "Last-Modified", "Cache-Control", "Accept-Ranges"];

    private readonly WebApplication _app;
    private long _frames;

    private CountingRelay(WebApplication app) => _app = app;

    /// <summary>Requests for frames since the start.</summary>
    public long FrameRequests => Volatile.Read(ref _frames);

    /// <param name="port">Where it listens, on loopback.</param>
    /// <param name="origin">The server's root, to which the path of each request is added.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<CountingRelay> StartAsync(int port, Uri origin, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        var relay = new CountingRelay(app);
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = origin };
        app.Lifetime.ApplicationStopped.Register(client.Dispose);
        app.Run(context => relay.PassAsync(context, client));
        await app.StartAsync(cancellationToken);
        return relay;
    }

    /// <summary>Where it listens; with port 0 the system has chosen one.</summary>
    public string Url => _app.Urls.Single();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task PassAsync(HttpContext context, HttpClient client)
    {
        if (context.Request.Path.Value!.Contains("/frames/", StringComparison.Ordinal)) Interlocked.Increment(ref _frames);
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), client.BaseAddress!.ToString().TrimEnd('/') + context.Request.Path + context.Request.QueryString);
        foreach (var name in ToOrigin)
            if (context.Request.Headers.TryGetValue(name, out var values)) request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var name in ToCache)
        {
            if (response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values))
                context.Response.Headers[name] = values.ToArray();
        }

        context.Response.ContentLength = response.Content.Headers.ContentLength;
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
