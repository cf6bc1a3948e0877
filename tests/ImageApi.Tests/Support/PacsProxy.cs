using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ImageApi.Tests.Support;

/// <summary>
/// Stands before a PACS, writes down what it is asked, counts what goes back, and misbehaves where a test says so: <see cref="Interfere"/> gets every request first.
/// </summary>
internal sealed class PacsProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client;
    private readonly Uri _target;
    private long _bytes;

    private PacsProxy(WebApplication app, Uri target)
    {
        (_app, _target) = (app, target);
        _client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(60) };
    }

    public string Url => _app.Urls.First() + "/dicom-web";

    /// <summary>Method and path with query of every request, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Bytes of bodies that went back.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Answers in the PACS's stead and returns true, or returns false.</summary>
    public Func<HttpContext, Task<bool>>? Interfere { get; set; }

    /// <summary>Changes the body of an answer of the PACS, and may change its headers.</summary>
    public Func<HttpContext, byte[], byte[]>? Change { get; set; }

    public static async Task<PacsProxy> StartAsync(Uri target)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var proxy = new PacsProxy(app, target);
        app.Run(proxy.ServeAsync);
        await app.StartAsync();
        return proxy;
    }

    public int Count(string part) => Requests.Count(request => request.Contains(part, StringComparison.Ordinal));

    public void Clear()
    {
        Requests.Clear();
        Interlocked.Exchange(ref _bytes, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        Requests.Enqueue($"{context.Request.Method} {context.Request.GetEncodedPathAndQuery()}");
        if (Interfere is { } interfere && await interfere(context)) return;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_target, context.Request.GetEncodedPathAndQuery()));
        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0) request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name is "Host" or "Connection" or "Transfer-Encoding" or "Content-Length") continue;
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!)) request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!);
        }
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            if (name is not ("Connection" or "Keep-Alive" or "Transfer-Encoding" or "Content-Length")) context.Response.Headers[name] = values.ToArray();
        }
        var body = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        if (Change is { } change) body = change(context, body);
        context.Response.ContentLength ??= body.Length;
        Interlocked.Add(ref _bytes, body.Length);
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
