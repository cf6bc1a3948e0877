using ServiceDefaults.Requests;
using Platform.TieredCache;

namespace ImageApi.HttpCaching;

/// <summary>Says where an answer came from: <c>Cache-Status</c> (RFC 9211) and a step of <c>Server-Timing</c>.</summary>
internal static class CacheStatus
{
    public const string HeaderName = "Cache-Status";

    public static void Write(HttpContext context, in CacheOutcome outcome, string originName)
    {
        context.Response.Headers[HeaderName] = outcome switch
        {
            { Tier: CacheTier.Memory, IsCoalesced: false } => "platform; hit; detail=memory",
            { Tier: CacheTier.Redis } => "platform; hit; detail=redis",
            { Tier: CacheTier.Disk } => "platform; hit; detail=disk",
            { Tier: CacheTier.Object } => "platform; hit; detail=object",
            { IsCoalesced: true } => $"platform; fwd=miss; collapsed; detail=\"origin {originName}\"",
            _ => FromOrigin(originName),
        };
        var tier = outcome.Tier switch
        {
            CacheTier.Memory => "memory",
            CacheTier.Redis => "redis",
            CacheTier.Disk => "disk",
            CacheTier.Object => "object",
            _ => "origin",
        };
        context.ServerTiming().Add("cache", outcome.Waited, tier);
        if (!StaleAnswer.IsMarked) return;
        context.Response.Headers[HeaderName] = $"platform; fwd=stale; detail=\"origin {originName}, {tier}\"";
        context.Response.Headers.Warning = "110 platform \"Response is Stale\"";
    }

    /// <summary>For an answer read from the origin without a tier between.</summary>
    public static void WriteOrigin(HttpContext context, string originName) =>
        context.Response.Headers[HeaderName] = FromOrigin(originName);

    private static string FromOrigin(string originName) => $"platform; fwd=miss; detail=\"origin {originName}\"";
}
