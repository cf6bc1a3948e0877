using System.Buffers;
using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImageApi.HttpCaching;

namespace ImageApi.Problems;

/// <summary>
/// An error answer (RFC 9457). <paramref name="Detail"/> says what was wrong with the request or the data and never holds
/// a patient's value; UIDs and parameter names may appear.
/// </summary>
internal sealed record Problem(string Type, string Title, int Status, string? Detail = null) : IResult
{
    public const string MediaType = "application/problem+json";

    // Never part of a page: quotes need no more escaping than JSON asks for.
    private static readonly JsonWriterOptions JsonForm = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>When to try again; for 429 and 503.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Further members, such as <c>current</c> beside a version that is not current.</summary>
    public IReadOnlyDictionary<string, JsonNode>? Members { get; init; }

    public static Problem InstanceNotFound { get; } = NotFound("There is no such instance in this series of this study.");

    public static Problem SeriesNotFound { get; } = NotFound("There is no such series in this study.");

    public static Problem StudyNotFound { get; } = NotFound("There is no such study.");

    public static Problem NotFound(string detail) =>
        new(ProblemTypes.NotFound, "Not found", StatusCodes.Status404NotFound, detail);

    public static Problem BadRequest(string detail) =>
        new(ProblemTypes.BadRequest, "Bad request", StatusCodes.Status400BadRequest, detail);

    public static Problem InvalidUid(string what) =>
        new(ProblemTypes.InvalidUid, "Not a UID", StatusCodes.Status400BadRequest,
            $"The {what} is not a UID: digits and dots, no empty component, at most 64 characters (PS3.5 9.1).");

    public static Problem NotAcceptable(string detail) =>
        new(ProblemTypes.NotAcceptable, "Not acceptable", StatusCodes.Status406NotAcceptable, detail);

    public static Problem StaleVersion(string current) =>
        new(ProblemTypes.StaleVersion, "Not the current version", StatusCodes.Status404NotFound,
            $"The version asked for is not the current one, which is {current}.")
        { Members = new Dictionary<string, JsonNode> { ["current"] = current } };

    /// <summary>Writes the problem as the whole answer. Headers that described another body are dropped.</summary>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var body = Serialize(httpContext);
        response.StatusCode = Status;
        var headers = response.Headers;
        headers.ContentType = MediaType;
        headers.ContentLength = body.WrittenCount;
        headers["X-Request-Id"] = httpContext.TraceIdentifier; // an exception handler clears what was there
        headers.CacheControl = "no-store";
        headers[FreshnessHeaders.CdnHeaderName] = default;
        headers.ETag = default;
        headers.LastModified = default;
        headers.ContentEncoding = default;
        if (RetryAfter is { } wait)
            headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (!HttpMethods.IsHead(httpContext.Request.Method))
            await response.BodyWriter.WriteAsync(body.WrittenMemory, httpContext.RequestAborted);
    }

    private ArrayBufferWriter<byte> Serialize(HttpContext context)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, JsonForm);
        json.WriteStartObject();
        json.WriteString("type"u8, Type);
        json.WriteString("title"u8, Title);
        json.WriteNumber("status"u8, Status);
        if (Detail is not null)
            json.WriteString("detail"u8, Detail);
        json.WriteString("instance"u8, context.Request.Path.Value);
        json.WriteString("traceId"u8, Activity.Current?.Id ?? context.TraceIdentifier);
        foreach (var (name, value) in Members ?? ReadOnlyDictionary<string, JsonNode>.Empty)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }
}
