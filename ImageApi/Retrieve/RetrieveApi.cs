using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Problems;

namespace ImageApi.Retrieve;

/// <summary>Retrieve studies, series and instances, their metadata and bulk data (PS3.18 10.4.1).</summary>
internal static class RetrieveApi
{
    public static IEndpointRouteBuilder MapRetrieveApi(this IEndpointRouteBuilder app)
    {
        var studies = app.MapGroup("/dicomweb/studies/{study}").WithTags("Retrieve")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status406NotAcceptable);
        studies.MapMethods("/", Verbs.GetAndHead, GetStudyAsync).WithName("RetrieveStudy");
        studies.MapMethods("/metadata", Verbs.GetAndHead, GetStudyMetadataAsync).WithName("RetrieveStudyMetadata");
        studies.MapMethods("/series/{series}", Verbs.GetAndHead, GetSeriesAsync).WithName("RetrieveSeries");
        studies.MapMethods("/series/{series}/metadata", Verbs.GetAndHead, GetSeriesMetadataAsync).WithName("RetrieveSeriesMetadata");
        studies.MapMethods("/series/{series}/instances/{instance}", Verbs.GetAndHead, GetInstanceAsync).WithName("RetrieveInstance");
        studies.MapMethods("/series/{series}/instances/{instance}/metadata", Verbs.GetAndHead, GetInstanceMetadataAsync).WithName("RetrieveInstanceMetadata");
        studies.MapMethods("/series/{series}/instances/{instance}/bulkdata/{**path}", Verbs.GetAndHead, GetBulkDataAsync).WithName("RetrieveBulkData");
        return app;
    }

    private static Task GetStudyAsync(HttpContext context, string study, ICatalog catalog, InstanceResponse responses) =>
        ServeStudyAsync(context, study, catalog, responses, static async (http, entry, responses) =>
        {
            InstanceEntry[] instances = [.. entry.Series.SelectMany(series => series.Instances)];
            var freshness = VersionedUrl.Check(http.Request, entry.Content, Freshness.Hour, out var problem);
            if (problem is null && ContentNegotiation.Choose(http.Request, RetrieveOffers.Instances(instances)) is null)
                problem = RetrieveOffers.NotAcceptableInstances;
            await (problem?.ExecuteAsync(http) ?? responses.SendMultipartAsync(http, instances, entry.Content, freshness));
        });

    private static Task GetSeriesAsync(HttpContext context, string study, string series, ICatalog catalog, InstanceResponse responses) =>
        ServeSeriesAsync(context, study, series, catalog, responses, static async (http, entry, responses) =>
        {
            var freshness = VersionedUrl.Check(http.Request, entry.Content, Freshness.Hour, out var problem);
            if (problem is null && ContentNegotiation.Choose(http.Request, RetrieveOffers.Instances(entry.Instances)) is null)
                problem = RetrieveOffers.NotAcceptableInstances;
            await (problem?.ExecuteAsync(http) ?? responses.SendMultipartAsync(http, entry.Instances, entry.Content, freshness));
        });

    private static Task GetInstanceAsync(HttpContext context, string study, string series, string instance, ICatalog catalog, InstanceResponse responses, IOrigins origins) =>
        ServeInstanceAsync(context, study, series, instance, catalog, (Responses: responses, Origins: origins), static async (http, entry, request) =>
        {
            var responses = request.Responses;
            var freshness = VersionedUrl.Check(http.Request, entry.HeaderContent, Freshness.Hour, out var problem);
            var offer = ContentNegotiation.Choose(http.Request, RetrieveOffers.Instance(entry));
            if (problem is null && offer is null)
            {
                if (await PassThrough.TrySendAsync(http, request.Origins, entry, ""))
                    return;
                problem = RetrieveOffers.NotAcceptableInstances;
            }
            if (problem is not null)
                await problem.ExecuteAsync(http);
            else if (offer!.IsMultipart)
                await responses.SendMultipartAsync(http, [entry], entry.HeaderContent, freshness);
            else
                await responses.SendAsync(http, entry, offer.ContentType, freshness);
        });

    private static Task GetStudyMetadataAsync(HttpContext context, string study, ICatalog catalog, MetadataResponse responses) =>
        ServeStudyAsync(context, study, catalog, responses, static (http, entry, responses) =>
            responses.SendAsync(http, [.. entry.Series.SelectMany(MetadataService.Split)], entry.Content));

    private static Task GetSeriesMetadataAsync(HttpContext context, string study, string series, ICatalog catalog, MetadataResponse responses) =>
        ServeSeriesAsync(context, study, series, catalog, responses, static (http, entry, responses) =>
            responses.SendAsync(http, MetadataService.Split(entry), entry.Content));

    private static Task GetInstanceMetadataAsync(HttpContext context, string study, string series, string instance, ICatalog catalog, MetadataResponse responses) =>
        ServeInstanceAsync(context, study, series, instance, catalog, responses, static (http, entry, responses) =>
            responses.SendAsync(http, [MetadataService.Of(entry)], entry.HeaderContent));

    private static Task GetBulkDataAsync(HttpContext context, string study, string series, string instance, string path, ICatalog catalog, BulkDataResponse responses) =>
        ServeInstanceAsync(context, study, series, instance, catalog, (Responses: responses, Path: path), static (http, entry, request) =>
            request.Responses.ServeAsync(http, entry, request.Path));

    private static Task ServeStudyAsync<TState>(HttpContext context, string study, ICatalog catalog, TState state, Func<HttpContext, StudyEntry, TState, Task> serve)
    {
        if (PathUids.Check(study) is { } problem)
            return problem.ExecuteAsync(context);
        return Healing.RetryAsync(context, (study, catalog: catalog.Seen(context), state, serve), static async (http, request) =>
            await (await request.catalog.FindStudyAsync(request.study, http.RequestAborted) is { } entry
                ? request.serve(http, entry, request.state)
                : Problem.StudyNotFound.ExecuteAsync(http)));
    }

    private static Task ServeSeriesAsync<TState>(HttpContext context, string study, string series, ICatalog catalog, TState state, Func<HttpContext, SeriesEntry, TState, Task> serve)
    {
        if (PathUids.Check(study, series) is { } problem)
            return problem.ExecuteAsync(context);
        return Healing.RetryAsync(context, (Ref: new SeriesRef(study, series), catalog: catalog.Seen(context), state, serve), static async (http, request) =>
            await (await request.catalog.FindSeriesAsync(request.Ref, http.RequestAborted) is { } entry
                ? request.serve(http, entry, request.state)
                : Problem.SeriesNotFound.ExecuteAsync(http)));
    }

    private static Task ServeInstanceAsync<TState>(HttpContext context, string study, string series, string instance, ICatalog catalog, TState state, Func<HttpContext, InstanceEntry, TState, Task> serve)
    {
        if (PathUids.Check(study, series, instance) is { } problem)
            return problem.ExecuteAsync(context);
        return Healing.RetryAsync(context, (Ref: new InstanceRef(study, series, instance), catalog: catalog.Seen(context), state, serve), static async (http, request) =>
            await (await request.catalog.FindInstanceAsync(request.Ref, http.RequestAborted) is { } entry
                ? request.serve(http, entry, request.state)
                : Problem.InstanceNotFound.ExecuteAsync(http)));
    }
}
