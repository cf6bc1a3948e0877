using System.Buffers;
using ImageApi.Negotiation;
using ImageApi.Problems;
using ImageApi.Retrieve;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace ImageApi.Store;

/// <summary>Store instances (STOW-RS, PS3.18 10.5).</summary>
internal static class StoreApi
{
    public static IEndpointRouteBuilder MapStoreApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/dicomweb/studies").WithTags("Store")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status406NotAcceptable)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status507InsufficientStorage);
        group.MapPost("", (HttpContext context, StoreService service) => StoreAsync(context, null, service)).WithName("StoreInstances");
        group.MapPost("/{study}", (HttpContext context, string study, StoreService service) => StoreAsync(context, study, service)).WithName("StoreInstancesOfStudy");
        return app;
    }

    private static async Task StoreAsync(HttpContext context, string? study, StoreService service)
    {
        var problem = (study is null ? null : PathUids.Check(study)) ?? Check(context.Request, out _);
        if (problem is not null)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        // Instances may be gigabytes and requests hold thousands: each is bounded by itself, and the server's rate limit drops who trickles.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        _ = Check(context.Request, out var boundary);
        var result = boundary is null
            ? await service.StoreAsync(context.Request.Body, study, context.RequestAborted)
            : await service.StoreAsync(context.Request.Body, boundary, study, context.RequestAborted);
        await AnswerAsync(context, result);
    }

    /// <summary>What is wrong with the request's headers; null when its body can be read: as parts where there is a boundary, else as one instance.</summary>
    private static Problem? Check(HttpRequest request, out string? boundary)
    {
        boundary = null;
        if (ContentNegotiation.Choose(request, RetrieveOffers.Metadata) is null)
            return Problem.NotAcceptable($"What became of the instances can be told as {RetrieveOffers.DicomJson}.");
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity")
            return Unsupported("A body with a content coding is not taken.");
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
            return Unsupported("The request's Content-Type is missing or none.");
        if (type.MediaType.Equals("application/dicom", StringComparison.OrdinalIgnoreCase)) return null;
        if (!type.MediaType.Equals("multipart/related", StringComparison.OrdinalIgnoreCase))
            return Unsupported("Instances are taken as multipart/related; type=\"application/dicom\", or one alone as application/dicom.");

        var part = type.Parameters.FirstOrDefault(parameter => parameter.Name.Equals("type", StringComparison.OrdinalIgnoreCase))?.Value.Value?.Trim('"');
        if (part is not null && !part.Equals("application/dicom", StringComparison.OrdinalIgnoreCase))
            return Unsupported("Parts are taken as application/dicom; metadata with separate bulk data is not.");
        boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        return boundary is not null && MultipartReader.IsBoundary(boundary) ? null : Problem.BadRequest("The multipart body's boundary is missing or none that RFC 2046 allows.");
    }

    private static Task AnswerAsync(HttpContext context, StoreResult result)
    {
        if (result.IsDiskFull)
            return new Problem(ProblemTypes.StorageFull, "Storage is full", StatusCodes.Status507InsufficientStorage, "There is no room for the instances. Nothing that was stored before is lost.").ExecuteAsync(context);
        if (result.Outcomes.Count == 0)
            return Problem.BadRequest(result.Error ?? "The request holds no instance.").ExecuteAsync(context);

        var stored = result.StoredCount;
        var body = new ArrayBufferWriter<byte>(1024 + (result.Outcomes.Count * 512));
        StoreResponse.Write(body, result, $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}/dicomweb");
        var response = context.Response;
        response.StatusCode = stored == 0 ? StatusCodes.Status409Conflict
            : stored == result.Outcomes.Count && result.Error is null ? StatusCodes.Status200OK
            : StatusCodes.Status202Accepted;
        response.ContentType = RetrieveOffers.DicomJson;
        response.ContentLength = body.WrittenCount;
        response.Headers.CacheControl = "no-store";
        return response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }

    private static Problem Unsupported(string detail) => new(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType, detail);
}
