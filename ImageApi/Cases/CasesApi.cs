using System.Text.Json;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Manifest;
using ImageApi.Negotiation;
using ImageApi.Problems;
using ImageApi.Retrieve;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Cases;

/// <summary>Studies and their files for clients that do not speak DICOMweb.</summary>
internal static class CasesApi
{
    private const string Json = "application/json";
    private static readonly IReadOnlyList<Offer> CaseOffers = [new(Json)];
    private static readonly DocumentRecipe Recipe = new(EntryKind.Manifest, "case", 1);

    public static IServiceCollection AddCases(this IServiceCollection services)
    {
        services.TryAddSingleton<CaseService>();
        return services;
    }

    public static IEndpointRouteBuilder MapCasesApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/dicom/{caseId}").WithTags("Cases")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapMethods("/", Verbs.GetAndHead, GetCaseAsync).WithName("GetCase").Produces<Case>();
        group.MapMethods("/files/{name}", Verbs.GetAndHead, GetFileAsync).WithName("GetCaseFile");
        return app;
    }

    private static Task GetCaseAsync(HttpContext context, string caseId, CaseService cases, DocumentCache documents, EntityResponse responses) =>
        ServeAsync(context, caseId, cases, (caseId, cases, documents, responses), static async (http, study, request) =>
        {
            var freshness = VersionedUrl.Check(http.Request, study.Content, Freshness.Revalidate, out var problem);
            if (problem is null && ContentNegotiation.Choose(http.Request, CaseOffers) is null)
                problem = Problem.NotAcceptable($"A case can be had as {Json}.");
            if (problem is not null)
            {
                await problem.ExecuteAsync(http);
                return;
            }
            var coding = ContentCodings.Choose(http.Request.Headers.AcceptEncoding);
            // The case says its own id, so a study that is asked for by folder is another document.
            var document = new Document(CaseService.ContentOf(study, request.caseId), Recipe);
            var entity = new Entity(document.EntityTag(Json, coding), Json, freshness) { ContentEncoding = coding.Token() };
            if (!await request.responses.BeginAsync(http, entity))
                return;
            await using var lease = await request.documents.GetAsync(document, coding, (request.cases, request.caseId, study), static async (state, to, token) =>
            {
                var value = await state.cases.MakeAsync(state.caseId, state.study, token);
                to.Start(new EntryHeader(Json) { Tags = CacheTags.Of(state.study.Series.SelectMany(static series => series.Instances)) });
                await using var json = new Utf8JsonWriter(to);
                JsonSerializer.Serialize(json, value, CaseJson.Default.Case);
            }, http.RequestAborted);
            CacheStatus.Write(http, lease.Outcome, "catalog");
            await EntityResponse.SendAsync(http, entity, lease);
        });

    private static Task GetFileAsync(HttpContext context, string caseId, string name, CaseService cases, InstanceResponse responses)
    {
        if (!CaseService.IsName(name))
            return Problem.BadRequest("The file's name is not one: names have no slashes, no control characters, and are not dots alone.").ExecuteAsync(context);
        return ServeAsync(context, caseId, cases, (name, responses), static async (http, study, request) =>
        {
            if (CaseService.FindFile(study, request.name) is not { } instance)
            {
                await Problem.NotFound("The case has no such file.").ExecuteAsync(http);
                return;
            }
            var freshness = VersionedUrl.Check(http.Request, instance.HeaderContent, Freshness.Hour, out var problem);
            if (problem is null && ContentNegotiation.Choose(http.Request, CaseService.FileOffers) is null)
                problem = Problem.NotAcceptable($"A file can be had as {TransferSyntaxMediaTypes.Dicom}.");
            await (problem?.ExecuteAsync(http) ?? request.responses.SendAsync(http, instance, TransferSyntaxMediaTypes.Dicom, freshness));
        });
    }

    private static Task ServeAsync<TState>(HttpContext context, string caseId, CaseService cases, TState state, Func<HttpContext, StudyEntry, TState, Task> serve)
    {
        if (!CaseService.IsName(caseId))
            return Problem.BadRequest("The case is neither a Study Instance UID nor the name of a folder.").ExecuteAsync(context);
        return Healing.RetryAsync(context, (caseId, cases, state, serve), static async (http, request) =>
            await (await request.cases.FindAsync(request.caseId, http.RequestAborted) is { } study
                ? request.serve(http, study, request.state)
                : Problem.NotFound("There is no such case: no study has this UID, and no folder of this name holds exactly one.").ExecuteAsync(http)));
    }
}
