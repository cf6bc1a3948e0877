using System.Text.Json.Serialization;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>What the tiers hold and did. Counts only: no keys, no UIDs.</summary>
internal static class CacheAdminApi
{
    public static IEndpointRouteBuilder MapCacheAdminApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/cache/stats", GetStatistics).WithName("GetCacheStatistics").WithTags("Cache").Produces<CacheStatistics>();
        return app;
    }

    private static IResult GetStatistics(HttpContext context, ITieredCache cache)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(cache.GetStatistics(), CacheAdminJson.Default.CacheStatistics);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CacheStatistics))]
internal sealed partial class CacheAdminJson : JsonSerializerContext;
