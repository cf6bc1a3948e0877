using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins.Outbound;
using ImageApi.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// Hands a request to a DICOMweb server and its answer back, untouched: status, header fields as received, body as it arrives. What concerns one connection
/// only is dropped (RFC 9110 7.6.1), and so are credentials and cookies: ours are for us, the server's for it.
/// </summary>
internal static class PassThrough
{
    private static readonly HashSet<string> PerConnection = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    /// <summary>Fields of a request that say who asks us, or that the road to the server writes itself.</summary>
    private static readonly HashSet<string> Ours = new(StringComparer.OrdinalIgnoreCase) { "Host", "Authorization", "Cookie", "Content-Length", "Expect", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto" };

    /// <param name="context">The request.</param>
    /// <param name="origin">The server.</param>
    /// <param name="target">The resource below the server's address, with its query, as the client wrote it.</param>
    /// <exception cref="OriginException">No answer came.</exception>
    public static async Task SendAsync(HttpContext context, DicomwebOrigin origin, string target)
    {
        var method = context.Request.Method;
        var isSafe = HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);
        if (!isSafe && !origin.Methods.Contains(method, StringComparer.OrdinalIgnoreCase))
        {
            context.Response.Headers.Allow = string.Join(", ", ((IEnumerable<string>)["GET", "HEAD", "OPTIONS"]).Concat(origin.Methods));
            await new Problem(ProblemTypes.MethodNotAllowed, "Method not allowed", StatusCodes.Status405MethodNotAllowed, $"Origin {origin.Name} is not configured to let this method through.").ExecuteAsync(context);
            return;
        }
        if (origin.Client.TryUriOf(target) is not { } uri)
        {
            await Problem.BadRequest("The path leads out of the origin.").ExecuteAsync(context);
            return;
        }

        var cancellationToken = context.RequestAborted;
        using var request = new HttpRequestMessage(new HttpMethod(method), uri);
        if (!isSafe) Attach(context, request);
        CopyRequestHeaders(context, request);
        using var response = await origin.Client.SendAsync(request, cancellationToken);
        if (!isSafe && response.IsSuccessStatusCode) origin.Forget();

        context.Response.StatusCode = (int)response.StatusCode;
        CopyResponseHeaders(context, origin, response);
        context.Response.Headers[CacheStatus.HeaderName] = $"platform; fwd=bypass; detail=\"origin {origin.Name}\"";
        if (HttpMethods.IsHead(method)) return;
        await CopyBodyAsync(context, response, cancellationToken);
    }

    /// <summary>Hands on a request for something of an instance that we do not make, where its origin may: false, with nothing sent, where that is no DICOMweb server.</summary>
    /// <param name="context">The request.</param>
    /// <param name="origins">All origins.</param>
    /// <param name="instance">What is asked about.</param>
    /// <param name="suffix">What is asked for, after the instance's path: empty, or <c>/frames/1</c>.</param>
    public static async ValueTask<bool> TrySendAsync(HttpContext context, IOrigins origins, InstanceEntry instance, string suffix)
    {
        if (!instance.IsRemote || !origins.TryGet<DicomwebOrigin>(instance.OriginName, out var origin)) return false;
        await SendAsync(context, origin, instance.Item.Path + suffix + context.Request.QueryString.ToUriComponent());
        return true;
    }

    /// <summary>What a request asks for below <c>/dicomweb/{origin}/</c>, escaped as the client wrote it.</summary>
    public static string TargetOf(HttpContext context, string originName)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        var prefix = $"/dicomweb/{originName}";
        if (raw is null || !raw.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) raw = context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent();
        return raw.Length > prefix.Length ? raw[prefix.Length..].TrimStart('/') : "";
    }

    private static void Attach(HttpContext context, HttpRequestMessage request)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;   // nothing is held here
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true }) return;
        request.Content = new StreamContent(context.Request.Body);
        if (context.Request.ContentLength is { } length) request.Content.Headers.ContentLength = length;
    }

    private static void CopyRequestHeaders(HttpContext context, HttpRequestMessage request)
    {
        var named = NamedBy(context.Request.Headers.Connection.ToString());
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name.StartsWith(':') || PerConnection.Contains(name) || Ours.Contains(name) || named.Contains(name)) continue;
            foreach (var value in values)
            {
                if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    private static void CopyResponseHeaders(HttpContext context, DicomwebOrigin origin, HttpResponseMessage response)
    {
        var headers = context.Response.Headers;
        var named = NamedBy(response.Headers.NonValidated.TryGetValues("Connection", out var connection) ? connection.ToString() : "");
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            if (PerConnection.Contains(name) || named.Contains(name) || name.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var value in values) headers.Append(name, value);
        }
        if (response.Headers.Location is { } location && origin.Client.PathOf(new Uri(response.RequestMessage!.RequestUri!, location)) is { } path)
            headers.Location = $"/dicomweb/{origin.Name}/{path}";
        headers["Timing-Allow-Origin"] = "*";
    }

    private static async Task CopyBodyAsync(HttpContext context, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var to = context.Response.BodyWriter;
            for (int read; (read = await body.ReadAsync(to.GetMemory(16 << 10), cancellationToken)) > 0;)
            {
                to.Advance(read);
                var flushed = await to.FlushAsync(cancellationToken);
                if (flushed.IsCompleted || flushed.IsCanceled) return;
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is IOException or HttpRequestException)
        {
            throw OriginFailures.From(exception);   // after the first byte the connection is aborted: what is cut must not look whole
        }
    }

    private static HashSet<string> NamedBy(string connection) =>
        new(connection.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), StringComparer.OrdinalIgnoreCase);
}
