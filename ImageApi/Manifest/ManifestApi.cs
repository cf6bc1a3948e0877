using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Prefetch;
using ImageApi.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.TieredCache;

namespace ImageApi.Manifest;

/// <summary>The manifest of a series.</summary>
internal static class ManifestApi
{
    private static readonly IReadOnlyList<Offer> Offers = [new(ManifestService.MediaType)];

    public static IServiceCollection AddManifest(this IServiceCollection services)
    {
        services.TryAddSingleton<ManifestService>();
        return services;
    }

    public static IEndpointRouteBuilder MapManifestApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/series/{series}").WithTags("Manifest");
        group.MapMethods("/manifest", Verbs.GetAndHead, GetManifestAsync).WithName("GetManifest")
            .Produces<SeriesManifest>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
        return app;
    }

    private static Task GetManifestAsync(HttpContext context, string series, ICatalog catalog, ManifestService manifests, EntityResponse responses, PrefetchService prefetch)
    {
        if (!Uids.IsValid(series))
            return Problem.InvalidUid("series in the path").ExecuteAsync(context);
        return Healing.RetryAsync(context, (series, catalog, manifests, responses, prefetch), static async (http, request) =>
            await (await request.catalog.FindSeriesAsync(request.series, http.RequestAborted) is { } entry
                ? SendAsync(http, entry, request.manifests, request.responses, request.prefetch)
                : Problem.NotFound("There is no such series.").ExecuteAsync(http)));
    }

    private static async Task SendAsync(HttpContext context, SeriesEntry series, ManifestService manifests, EntityResponse responses, PrefetchService prefetch)
    {
        var freshness = VersionedUrl.Check(context.Request, series.Content, Freshness.Revalidate, out var problem);
        if (problem is null && ContentNegotiation.Choose(context.Request, Offers) is null)
            problem = Problem.NotAcceptable($"A manifest can be had as {ManifestService.MediaType}.");
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }
        prefetch.Opened(context, series);
        var coding = ContentCodings.Choose(context.Request.Headers.AcceptEncoding);
        var originName = series.Instances.Count > 0 ? series.Instances[0].OriginName : "catalog";
        if (ManifestService.HasMoreToCome(series))
        {
            if (await manifests.TryGetCompleteAsync(series, context.RequestAborted) is { } found)
            {
                await using var complete = found;
                await SendAsync(context, ManifestService.CompleteDocumentOf(series), coding, freshness, originName, (manifests, series, found), static (of, coding, token) => of.manifests.GetCompleteAsync(of.series, of.found, coding, token), responses);
                return;
            }

            // A version's manifest that will say more is asked about again until it does.
            freshness = Freshness.Revalidate;
        }
        await SendAsync(context, ManifestService.DocumentOf(series), coding, freshness, originName, (manifests, series), static (of, coding, token) => of.manifests.GetAsync(of.series, coding, token), responses);
    }

    private static async Task SendAsync<TState>(HttpContext context, Document document, ContentCoding coding, Freshness freshness, string originName,
        TState state, Func<TState, ContentCoding, CancellationToken, ValueTask<CacheLease>> get, EntityResponse responses)
    {
        var entity = new Entity(document.EntityTag(ManifestService.MediaType, coding), ManifestService.MediaType, freshness) { ContentEncoding = coding.Token() };
        if (!await responses.BeginAsync(context, entity))
            return;
        await using var lease = await get(state, coding, context.RequestAborted);
        CacheStatus.Write(context, lease.Outcome, originName);
        await EntityResponse.SendAsync(context, entity, lease);
    }
}
