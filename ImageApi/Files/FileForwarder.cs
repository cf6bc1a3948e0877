using System.Net;
using System.Net.Http.Headers;
using ImageApi.Origins;
using ImageApi.Origins.Http;
using ImageApi.Origins.Outbound;
using Platform.HttpCache;
using Platform.TieredCache;
using ServiceDefaults.Requests;

namespace ImageApi.Files;

/// <summary>
/// Hands a request to an HTTP origin's cache and its answer back, header lines as they are. An answer that breaks off breaks the connection:
/// a short body never looks whole.
/// </summary>
internal sealed class FileForwarder
{
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>What is between the caller and us, and of no concern to the origin: who shares resources across sites is decided here.</summary>
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Expect", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network",
        "traceparent", "tracestate", "baggage", "Request-Id", "Content-Length",
    };

    private static readonly HashSet<string> NotReturned = new(StringComparer.OrdinalIgnoreCase) { "X-Request-Id", "Server-Timing", "Timing-Allow-Origin", "Alt-Svc" };

    public async Task ForwardAsync(HttpContext context, HttpOrigin origin, string pathAndQuery)
    {
        using var request = CreateRequest(context.Request, origin.AddressOf(pathAndQuery));
        var cancellationToken = context.RequestAborted;
        try
        {
            using var response = await origin.SendAsync(request, cancellationToken);
            WriteHeader(context, response, origin);
            if (HttpMethods.IsHead(context.Request.Method) || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified or HttpStatusCode.ResetContent) return;
            if (response.Content is CachedContent cached) await cached.CopyToAsync(context.Response.BodyWriter, cancellationToken);
            else await response.Content.CopyToAsync(context.Response.Body, cancellationToken);
        }
        catch (Exception) when (context.Response.HasStarted)
        {
            context.Abort();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && HttpOrigin.IsOrigins(exception, cancellationToken))
        {
            var failure = OriginFailures.From(exception);
            throw new OriginException(failure.Failure, failure.Message, failure) { RetryAfter = failure.RetryAfter ?? DefaultRetryAfter };
        }
    }

    private static HttpRequestMessage CreateRequest(HttpRequest request, Uri address)
    {
        var message = new HttpRequestMessage(new HttpMethod(request.Method), address);
        var hasBody = request.ContentLength > 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count > 0);
        if (hasBody) message.Content = new StreamContent(request.Body);
        var named = request.Headers.Connection.SelectMany(static line => line?.Split(',', StringSplitOptions.TrimEntries) ?? []).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in request.Headers)
        {
            if (NotForwarded.Contains(name) || HopByHop.Contains(name) || named.Contains(name)) continue;
            foreach (var value in values)
                if (!message.Headers.TryAddWithoutValidation(name, value)) message.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        if (hasBody && request.ContentLength is { } length) message.Content!.Headers.ContentLength = length;
        // RFC 9110 7.6.3
        message.Headers.TryAddWithoutValidation("Via", "1.1 platform");
        return message;
    }

    private static void WriteHeader(HttpContext context, HttpResponseMessage response, HttpOrigin origin)
    {
        var to = context.Response;
        to.StatusCode = (int)response.StatusCode;
        CopyLines(response.Headers, to.Headers);
        CopyLines(response.Content.Headers, to.Headers);
        if (to.StatusCode is 201 or (>= 300 and < 400) && to.Headers.Location is [{ } location]) to.Headers.Location = LocationOf(location, context.Request, origin);
        to.Headers["Timing-Allow-Origin"] = "*";
        // A browser that keeps an answer for one site must not give it to another's script, which may read it or not by what we say to that site.
        if (context.Request.Headers.Origin.Count > 0 || context.Request.Headers.ContainsKey("Sec-Fetch-Site")) to.Headers.Append("Vary", "Origin");
        if (response.Content is CachedContent { Outcome: { } outcome }) context.ServerTiming().Add("cache", outcome.Waited, NameOf(outcome.Tier));
    }

    private static void CopyLines(HttpHeaders from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (HopByHop.Contains(name) || NotReturned.Contains(name) || name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)) continue;
            to[name] = values.Count == 1 ? values.ToString() : values.ToArray();
        }
    }

    /// <summary>An address of the origin as one of ours, so that a redirect stays here; others as they are.</summary>
    private static string LocationOf(string location, HttpRequest request, HttpOrigin origin)
    {
        var root = new Uri(origin.Address);
        if (!Uri.TryCreate(root, location, out var target) || !location.Contains('/')) return location;
        if (!location.StartsWith('/') && !target.IsAbsoluteUri) return location;
        return (location.StartsWith('/') || location.Contains("://", StringComparison.Ordinal)) && root.IsBaseOf(target)
            ? $"{request.PathBase}/files/{origin.Name}/{root.MakeRelativeUri(target)}" : location;
    }

    private static string NameOf(CacheTier tier) => tier switch
    {
        CacheTier.Memory => "memory",
        CacheTier.Redis => "redis",
        CacheTier.Disk => "disk",
        CacheTier.Object => "object",
        _ => "origin",
    };
}
