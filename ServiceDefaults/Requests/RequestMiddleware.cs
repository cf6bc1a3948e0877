using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ServiceDefaults.Requests;

/// <summary>Puts the check of the host's name and <see cref="RequestMiddleware"/> in front of everything else.</summary>
internal sealed class RequestStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseHostFiltering();
        app.UseMiddleware<RequestMiddleware>();
        next(app);
    };
}

/// <summary>
/// Gives every answer an <c>X-Request-Id</c> (the caller's where it is a short token, else our own) and, in development, writes
/// one log line per request: the route's template, never the path or the query, which can name a patient.
/// </summary>
internal sealed class RequestMiddleware(RequestDelegate next, IHostEnvironment environment, ILogger<RequestMiddleware> logger, TimeProvider time)
{
    public const string HeaderName = "X-Request-Id";
    private const int MaxIdLength = 64;
    private const string NoRoute = "(no route)";
    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");

    private readonly bool _writesLines = environment.IsDevelopment();

    public Task InvokeAsync(HttpContext context)
    {
        string? asked = context.Request.Headers[HeaderName];
        if (asked is { Length: > 0 and <= MaxIdLength } && !asked.AsSpan().ContainsAnyExcept(IdCharacters)) context.TraceIdentifier = asked;
        context.Response.Headers[HeaderName] = context.TraceIdentifier;
        var isTraced = context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true };
        return isTraced || (_writesLines && logger.IsEnabled(LogLevel.Information)) ? InvokeAndTellAsync(context) : next(context);
    }

    /// <summary>The id that the answer carries, for problem documents and logs.</summary>
    public static string RequestIdOf(HttpContext context) => context.TraceIdentifier;

    private async Task InvokeAndTellAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? NoRoute;
            if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } span)
            {
                // The framework leaves these to an instrumentation package; see also SpanScrubber.
                span.DisplayName = $"{context.Request.Method} {route}";
                span.SetTag("http.route", route);
                span.SetTag("http.response.status_code", context.Response.StatusCode);
            }

            if (_writesLines && !IsProbe(context)) logger.RequestAnswered(context.Request.Method, route, context.Response.StatusCode, time.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    // Asked every few seconds by whoever watches the service: a line each would bury the others.
    private static bool IsProbe(HttpContext context) => context.Request.Path.Value is "/health" or "/alive";
}
