using System.Globalization;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Problems;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageApi.Preview;

/// <summary>
/// <c>GET /api/series/{uid}/preview?resolution=1/4&amp;from={frame}</c>: the beginnings of all frames of a series in one answer, from one frame outward, each as soon
/// as it exists. README.md of the slice has the format.
/// </summary>
internal static class PreviewApi
{
    public static IServiceCollection AddPreview(this IServiceCollection services)
    {
        services.TryAddSingleton<SeriesFrames>();
        services.TryAddSingleton<PreviewResponse>();
        services.TryAddSingleton<PreviewMaker>();
        services.AddHostedService(static provider => provider.GetRequiredService<PreviewMaker>());
        return services;
    }

    public static IEndpointRouteBuilder MapPreviewApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/series/{series}").WithTags("Manifest");
        group.MapMethods("/preview", Verbs.GetAndHead, GetPreviewAsync).WithName("GetPreview")
            .Produces(StatusCodes.Status200OK, null, PreviewResponse.MediaType)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status406NotAcceptable);
        return app;
    }

    private static Task GetPreviewAsync(HttpContext context, string series, ICatalog catalog, PreviewResponse responses)
    {
        if (!Uids.IsValid(series))
            return Problem.InvalidUid("series in the path").ExecuteAsync(context);
        if (!TryReadLevels(context.Request.Query["resolution"], out var levels))
            return InvalidParameter("resolution", "1/1, 1/2, 1/4 or 1/8").ExecuteAsync(context);
        int? from = null;
        if (context.Request.Query.TryGetValue("from", out var asked))
        {
            if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                return InvalidParameter("from", "the index of a frame in the manifest, from 0").ExecuteAsync(context);
            from = index;
        }
        return Healing.RetryAsync(context, (series, catalog, responses, levels, from), static async (http, request) =>
        {
            if (await request.catalog.FindSeriesAsync(request.series, http.RequestAborted) is { } entry)
                await request.responses.ServeAsync(http, entry, request.levels, request.from);
            else
                await Problem.NotFound("There is no such series.").ExecuteAsync(http);
        });
    }

    /// <summary>How many resolutions are left out.</summary>
    private static bool TryReadLevels(string? resolution, out int levels)
    {
        levels = resolution switch { "1/1" => 0, "1/2" => 1, null or "" or "1/4" => 2, "1/8" => 3, _ => -1 };
        return levels >= 0;
    }

    internal static Problem InvalidParameter(string parameter, string expected) =>
        new(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, $"The parameter '{parameter}' has to be {expected}.");
}
