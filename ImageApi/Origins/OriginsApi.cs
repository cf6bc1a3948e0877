using System.Text.Json.Serialization;
using ImageApi.Origins.Outbound;
using Microsoft.Extensions.Options;

namespace ImageApi.Origins;

/// <summary>What origins there are and how they fare: <c>GET /api/origins</c>.</summary>
internal static class OriginsApi
{
    public static IEndpointRouteBuilder MapOriginsApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/origins", GetOrigins).WithTags("Origins").WithName("GetOrigins").Produces<OriginList>();
        return app;
    }

    private static IResult GetOrigins(HttpContext context, IOrigins origins, OriginHealthBoard health, IOptions<OriginsOptions> options)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new OriginList([.. origins.All.Select(origin => Describe(origin, options.Value.Origins.GetValueOrDefault(origin.Name), health.Find(origin.Name)))]), OriginsJson.Default.OriginList);
    }

    private static OriginInfo Describe(IOrigin origin, OriginOptions? options, OriginHealth? health) => new()
    {
        Name = origin.Name,
        Kind = options?.Kind.ToLowerInvariant() ?? OriginKinds.Folder,
        HoldsStudies = origin is IDicomOrigin,
        HoldsFiles = origin is IFileOrigin,
        IsWritable = origin.Traits.HasFlag(OriginTraits.Writable),
        Host = options is { Url.Length: > 0 } ? new Uri(options.Url).Authority : options is { ServiceUrl.Length: > 0 } ? new Uri(options.ServiceUrl).Authority : null,
        State = health?.State.ToString().ToLowerInvariant() ?? "local",
        Since = health?.Since,
        LastError = health?.LastError?.ToString().ToLowerInvariant(),
        LastErrorAt = health?.LastErrorAt,
        Requests = health?.Requests,
        Failures = health?.Failures,
        Bytes = health?.Bytes,
        P50Milliseconds = health?.P50?.TotalMilliseconds,
    };
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
