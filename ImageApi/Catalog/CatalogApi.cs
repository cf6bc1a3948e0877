using System.Text.Json;
using System.Text.Json.Serialization;
using ImageApi.Problems;

namespace ImageApi.Catalog;

/// <summary>Maintenance of the catalog.</summary>
internal static class CatalogApi
{
    private const string JsonLines = "application/x-ndjson";

    public static IEndpointRouteBuilder MapCatalogApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/catalog").WithTags("Catalog");
        group.MapPost("/verify", VerifyAsync).WithName("VerifyCatalog").Produces(StatusCodes.Status200OK, contentType: JsonLines).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        return app;
    }

    /// <summary>
    /// Compares the catalog with the files and tells what it finds, a JSON object per line: <c>progress</c> now and then, <c>problem</c> for each, <c>summary</c> at the
    /// end; an answer without one is not whole. With <c>?content=true</c> every stored byte is read and held against its SHA-256.
    /// </summary>
    private static async Task VerifyAsync(HttpContext context, CatalogVerifier verifier)
    {
        if (!verifier.TryBegin())
        {
            await new Problem(ProblemTypes.Busy, "Busy", StatusCodes.Status503ServiceUnavailable, "The catalog is being verified already.") { RetryAfter = TimeSpan.FromSeconds(10) }.ExecuteAsync(context);
            return;
        }
        try
        {
            var (response, cancellationToken) = (context.Response, context.RequestAborted);
            response.ContentType = JsonLines;
            response.Headers.CacheControl = "no-store";
            await foreach (var line in verifier.VerifyAsync(context.Request.Query["content"] == "true", cancellationToken))
            {
                await JsonSerializer.SerializeAsync(response.BodyWriter, line, VerifyJson.Default.VerifyLine, cancellationToken);
                response.BodyWriter.Write("\n"u8);
                await response.BodyWriter.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            verifier.End();
        }
    }

    private static void Write(this System.IO.Pipelines.PipeWriter writer, ReadOnlySpan<byte> bytes) => System.Buffers.BuffersExtensions.Write(writer, bytes);
}

/// <summary>One line of what verifying tells. UIDs may appear, patients' attributes and paths do not.</summary>
internal sealed record VerifyLine(string Type)
{
    public long? Checked { get; init; }
    public long? Total { get; init; }
    public long? Problems { get; init; }
    public long? Bytes { get; init; }

    /// <summary>missing, changed, damaged, not-indexed, conflict, several-patients.</summary>
    public string? Kind { get; init; }
    public string? Origin { get; init; }
    public string? Study { get; init; }
    public string? Instance { get; init; }
    public string? Detail { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VerifyLine))]
internal sealed partial class VerifyJson : JsonSerializerContext;
