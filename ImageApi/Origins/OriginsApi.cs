using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ImageApi.Origins.Dicomweb;
using ImageApi.Origins.Outbound;
using ImageApi.Problems;
using ImageApi.Settings;

namespace ImageApi.Origins;

/// <summary>What origins there are and how they fare, and for whoever administers them, adding, changing and removing.</summary>
internal static class OriginsApi
{
    public static IEndpointRouteBuilder MapOriginsApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/origins").WithTags("Origins");
        group.MapGet("", GetOrigins).WithName("GetOrigins").Produces<OriginList>();

        // The details too: where an origin lies and how it is reached is for whoever sets it up.
        var administration = group.MapGroup("").RequireAdministrator();
        administration.MapGet("/{name}", GetOrigin).WithName("GetOrigin").Produces<JsonObject>().ProducesProblem(StatusCodes.Status404NotFound);
        administration.MapPost("", AddAsync).WithName("AddOrigin").Produces<JsonObject>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict);
        administration.MapPut("/{name}", ReplaceAsync).WithName("ReplaceOrigin").Produces<JsonObject>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict);
        administration.MapDelete("/{name}", RemoveAsync).WithName("RemoveOrigin").Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status409Conflict);
        administration.MapPost("/{name}/examine", ExamineAsync).WithName("ExamineOrigin").Produces<PeerReport>().ProducesProblem(StatusCodes.Status404NotFound);
        return app;
    }

    /// <summary>Finds out what a DICOMweb server can do and keeps how it is best asked: what <c>platform doctor</c> shows.</summary>
    private static async Task<IResult> ExamineAsync(string name, IOrigins origins, PeerDoctor doctor, CancellationToken cancellationToken) =>
        origins.TryGet<DicomwebOrigin>(name, out var origin)
            ? Results.Json(await doctor.ExamineAsync(origin, cancellationToken), PeerReportJson.Default.PeerReport)
            : Problem.NotFound(origins.TryGet<IOrigin>(name, out _) ? "Only origins of kind dicomweb can be examined." : "There is no such origin.");

    private static IResult GetOrigins(HttpContext context, IOrigins origins, OriginHealthBoard health, OriginMetrics metrics, OriginSettings settings)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new OriginList([.. origins.All.Select(origin => Describe(origin, settings, health.Find(origin.Name), metrics))]), OriginsJson.Default.OriginList);
    }

    private static IResult GetOrigin(HttpContext context, string name, OriginSettings settings) =>
        settings.Find(name) is { } origin ? Details(context, name, origin, settings, StatusCodes.Status200OK) : Problem.NotFound("There is no such origin.");

    private static async Task<IResult> AddAsync(HttpContext context, OriginAdministration administration, OriginSettings settings, CancellationToken cancellationToken)
    {
        var (document, problem) = await JsonBody.ReadAsync(context, OriginSettingsJson.Default.JsonObject);
        if (problem is not null) return problem;
        var (name, refusal) = await administration.AddAsync(document!, cancellationToken);
        if (refusal is not null) return refusal;
        context.Response.Headers.Location = "/api/origins/" + name;
        return Details(context, name!, settings.Find(name!)!, settings, StatusCodes.Status201Created);
    }

    private static async Task<IResult> ReplaceAsync(HttpContext context, string name, OriginAdministration administration, OriginSettings settings, CancellationToken cancellationToken)
    {
        var (document, problem) = await JsonBody.ReadAsync(context, OriginSettingsJson.Default.JsonObject);
        if (problem is not null) return problem;
        var (_, refusal) = await administration.ReplaceAsync(name, document!, cancellationToken);
        return refusal ?? Details(context, name, settings.Find(name)!, settings, StatusCodes.Status200OK);
    }

    private static async Task<IResult> RemoveAsync(string name, OriginAdministration administration, CancellationToken cancellationToken)
    {
        var (_, refusal) = await administration.RemoveAsync(name, cancellationToken);
        return refusal is not null ? refusal : Results.NoContent();
    }

    private static IResult Details(HttpContext context, string name, OriginOptions origin, OriginSettings settings, int statusCode)
    {
        context.Response.Headers.CacheControl = "no-store";
        var (shown, secrets) = OriginDocument.Show(origin);
        var document = new JsonObject { ["name"] = name, ["isEditable"] = settings.IsEditable(name), ["secrets"] = secrets, ["settings"] = shown };
        return Results.Json(document, OriginSettingsJson.Default.JsonObject, statusCode: statusCode);
    }

    private static OriginInfo Describe(IOrigin origin, OriginSettings settings, OriginHealth? health, OriginMetrics metrics)
    {
        var (options, (requests, bytes)) = (settings.Find(origin.Name), metrics.Read(origin.Name));
        return new OriginInfo
        {
            Name = origin.Name,
            Kind = options?.Kind.ToLowerInvariant() ?? OriginKinds.Folder,
            HoldsStudies = origin is IDicomOrigin,
            HoldsFiles = origin is IFileOrigin,
            IsWritable = origin.Traits.HasFlag(OriginTraits.Writable),
            IsEditable = settings.IsEditable(origin.Name),
            Host = options is { Url.Length: > 0 } ? new Uri(options.Url).Authority : options is { ServiceUrl.Length: > 0 } ? new Uri(options.ServiceUrl).Authority : null,
            Address = options is null ? (origin as FolderOrigin)?.Path : OriginDocument.AddressOf(options),
            State = health?.State.ToString().ToLowerInvariant() ?? "local",
            Since = health?.Since,
            LastError = health?.LastError?.ToString().ToLowerInvariant(),
            LastErrorAt = health?.LastErrorAt,
            Requests = requests,
            Failures = health?.Failures,
            Bytes = bytes,
            P50Milliseconds = health?.P50?.TotalMilliseconds,
        };
    }
}

/// <summary>All origins, the store first.</summary>
internal sealed record OriginList(IReadOnlyList<OriginInfo> Origins);

/// <summary>One origin, without its secrets. The counters are of this process since its start; members without a value are left out.</summary>
internal sealed record OriginInfo
{
    public required string Name { get; init; }

    /// <summary><c>folder</c>, <c>http</c>, <c>dicomweb</c> or <c>s3</c>.</summary>
    public required string Kind { get; init; }
    public required bool HoldsStudies { get; init; }
    public required bool HoldsFiles { get; init; }
    public required bool IsWritable { get; init; }

    /// <summary>Whether it was added at run time, and so can be changed at run time; the others belong to the configuration.</summary>
    public required bool IsEditable { get; init; }

    /// <summary>The address without credentials and query, a folder's path, a bucket.</summary>
    public string? Address { get; init; }

    /// <summary>Host and port.</summary>
    public string? Host { get; init; }

    /// <summary><c>local</c> for a folder; else <c>unknown</c> (not asked yet), <c>healthy</c>, <c>failing</c> or <c>open</c> (left alone for a few seconds).</summary>
    public required string State { get; init; }
    public DateTimeOffset? Since { get; init; }

    /// <summary><c>unreachable</c>, <c>timeout</c>, <c>refused</c> or <c>broken</c>.</summary>
    public string? LastError { get; init; }
    public DateTimeOffset? LastErrorAt { get; init; }
    public long? Requests { get; init; }
    public long? Failures { get; init; }
    public long? Bytes { get; init; }

    /// <summary>The median time to an answer's header.</summary>
    public double? P50Milliseconds { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OriginList))]
internal sealed partial class OriginsJson : JsonSerializerContext;
