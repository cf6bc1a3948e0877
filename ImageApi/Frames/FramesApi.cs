using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Problems;

namespace ImageApi.Frames;

/// <summary>Retrieve frames (PS3.18 10.4.1.1.6): one or many, as stored, raw, or re-encoded without loss.</summary>
internal static class FramesApi
{
    public static IEndpointRouteBuilder MapFramesApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/dicomweb/studies/{study}/series/{series}/instances/{instance}/frames").WithTags("Frames");
        group.MapMethods("/{frameList}", Verbs.GetAndHead, GetFramesAsync).WithName("RetrieveFrames")
            .Produces(StatusCodes.Status200OK, null, TransferSyntaxMediaTypes.OctetStream, "multipart/related")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status406NotAcceptable)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        return app;
    }

    private static Task GetFramesAsync(HttpContext context, string study, string series, string instance, string frameList, ICatalog catalog, FrameResponse responses)
    {
        if (PathUids.Check(study, series, instance) is { } problem)
            return problem.ExecuteAsync(context);
        if (!FrameList.TryParse(frameList, out var frameNumbers, out var error))
            return new Problem(ProblemTypes.InvalidFrameList, "Invalid frame list", StatusCodes.Status400BadRequest, error).ExecuteAsync(context);
        return Healing.RetryAsync(context, (Ref: new InstanceRef(study, series, instance), Numbers: frameNumbers, Catalog: catalog.Seen(context), Responses: responses), static async (http, request) =>
        {
            if (await request.Catalog.FindInstanceAsync(request.Ref, http.RequestAborted) is { } entry)
                await request.Responses.ServeAsync(http, entry, request.Numbers);
            else
                await Problem.InstanceNotFound.ExecuteAsync(http);
        });
    }
}
