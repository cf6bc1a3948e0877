using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Problems;

namespace ImageApi.Search;

/// <summary>Search for studies, series and instances (QIDO-RS, PS3.18 10.6).</summary>
internal static class SearchApi
{
    public static IEndpointRouteBuilder MapSearchApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/dicomweb").WithTags("Search")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status406NotAcceptable);
        group.MapMethods("/studies", Verbs.GetAndHead, SearchStudiesAsync).WithName("SearchStudies");
        group.MapMethods("/series", Verbs.GetAndHead, SearchSeriesAsync).WithName("SearchSeries");
        group.MapMethods("/instances", Verbs.GetAndHead, SearchInstancesAsync).WithName("SearchInstances");
        group.MapMethods("/studies/{study}/series", Verbs.GetAndHead, SearchSeriesOfStudyAsync).WithName("SearchSeriesOfStudy");
        group.MapMethods("/studies/{study}/instances", Verbs.GetAndHead, SearchInstancesOfStudyAsync).WithName("SearchInstancesOfStudy");
        group.MapMethods("/studies/{study}/series/{series}/instances", Verbs.GetAndHead, SearchInstancesOfSeriesAsync).WithName("SearchInstancesOfSeries");
        return app;
    }

    private static Task SearchStudiesAsync(HttpContext context, SearchResponse responses) =>
        responses.ServeAsync(context, CatalogLevel.Study, null, null);

    private static Task SearchSeriesAsync(HttpContext context, SearchResponse responses) =>
        responses.ServeAsync(context, CatalogLevel.Series, null, null);

    private static Task SearchInstancesAsync(HttpContext context, SearchResponse responses) =>
        responses.ServeAsync(context, CatalogLevel.Instance, null, null);

    private static Task SearchSeriesOfStudyAsync(HttpContext context, string study, SearchResponse responses) =>
        ServeAsync(context, CatalogLevel.Series, study, null, responses);

    private static Task SearchInstancesOfStudyAsync(HttpContext context, string study, SearchResponse responses) =>
        ServeAsync(context, CatalogLevel.Instance, study, null, responses);

    private static Task SearchInstancesOfSeriesAsync(HttpContext context, string study, string series, SearchResponse responses) =>
        ServeAsync(context, CatalogLevel.Instance, study, series, responses);

    private static Task ServeAsync(HttpContext context, CatalogLevel level, string study, string? series, SearchResponse responses) =>
        PathUids.Check(study, series) is { } problem ? problem.ExecuteAsync(context) : responses.ServeAsync(context, level, study, series);
}
