using ImageApi.Negotiation;
using ImageApi.Problems;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Events;

/// <summary>
/// <c>GET /api/events</c>: what happens here, as server-sent events (HTML Living Standard 9.2): <c>study</c>, <c>preview</c>, <c>thumbnail</c>, and <c>lost</c>
/// where the listener missed some and should look for itself. A listener that comes back with <c>Last-Event-ID</c> gets what it missed, as far as that is kept.
/// Each node tells of its own doings.
/// </summary>
internal static class EventsApi
{
    private const string MediaType = "text/event-stream";
    private static readonly Offer[] Offers = [new(MediaType)];
    private static readonly byte[] Beginning = "retry: 3000\n\n"u8.ToArray();
    private static readonly byte[] Heartbeat = ":\n\n"u8.ToArray();

    /// <summary>Needs <c>AddCatalog</c>, <c>AddOrigins</c>, <c>AddRendered</c>.</summary>
    public static IServiceCollection AddEvents(this IServiceCollection services)
    {
        services.AddOptions<EventsOptions>().BindConfiguration(EventsOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EventsOptions>, EventsOptionsValidator>());
        services.TryAddSingleton<EventBoard>();
        services.TryAddSingleton<SeriesThumbnails>();
        services.AddHostedService(static provider => provider.GetRequiredService<SeriesThumbnails>());
        services.AddHostedService<StudyNews>();
        return services;
    }

    public static IEndpointRouteBuilder MapEventsApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/events", ListenAsync).WithName("ListenToEvents").WithTags("Events").DisableHttpMetrics()
            .Produces(StatusCodes.Status200OK, contentType: MediaType)
            .ProducesProblem(StatusCodes.Status406NotAcceptable)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        return app;
    }

    private static async Task ListenAsync(HttpContext context, EventBoard board, IOptions<EventsOptions> options, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        if (ContentNegotiation.Choose(context.Request, Offers) is null)
        {
            await Problem.NotAcceptable($"Events can be had as {MediaType}.").ExecuteAsync(context);
            return;
        }
        using var listener = board.Listen(context.Request.Headers["Last-Event-ID"]);
        if (listener is null)
        {
            await new Problem(ProblemTypes.Busy, "Busy", StatusCodes.Status503ServiceUnavailable, $"At most {options.Value.MaxListeners} can listen at once.")
            { RetryAfter = TimeSpan.FromSeconds(10) }.ExecuteAsync(context);
            return;
        }

        // A stream never ends by itself: the host that stops would wait for it.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        var response = context.Response;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        response.Headers.Vary = "Accept, Origin";
        try
        {
            await response.BodyWriter.WriteAsync(Beginning, ending.Token);
            while (true)
            {
                if (listener.TryRead(out var published) is { } bytes)
                {
                    await response.BodyWriter.WriteAsync(bytes, ending.Token);
                    continue;
                }
                await published.WaitAsync(options.Value.Heartbeat, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ending.Token.ThrowIfCancellationRequested();
                if (!published.IsCompleted) await response.BodyWriter.WriteAsync(Heartbeat, ending.Token);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
    }
}
