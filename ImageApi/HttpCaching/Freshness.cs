using System.Globalization;

namespace ImageApi.HttpCaching;

/// <summary>How long an answer may be used without asking again (DESIGN: URLs, freshness, ETags).</summary>
internal enum Freshness
{
    /// <summary>Searches, metadata and manifests without a version: kept, and asked about every time.</summary>
    Revalidate,

    /// <summary>Frames, bulk data and files without a version: an hour.</summary>
    Hour,

    /// <summary>A URL that names its version: for good (30 days).</summary>
    Immutable,

    /// <summary>A picture made for the eye at a URL that names its version: an hour, because how it is made may become better.</summary>
    ImmutableHour,
}

internal static class FreshnessHeaders
{
    public const string CdnHeaderName = "CDN-Cache-Control";

    /// <summary>
    /// The <c>Cache-Control</c> value. An answer to someone who proved who they are is <c>private</c>: a shared cache must not give it to
    /// somebody else.
    /// </summary>
    public static string CacheControl(HttpContext context, Freshness freshness, HttpCachingOptions options)
    {
        if (options.NoStore)
            return "no-store";
        return (freshness, IsPrivate(context)) switch
        {
            (Freshness.Immutable, false) => "public, max-age=2592000, immutable",
            (Freshness.Immutable, true) => "private, max-age=2592000, immutable",
            (Freshness.ImmutableHour, false) => "public, max-age=3600, immutable",
            (Freshness.ImmutableHour, true) => "private, max-age=3600, immutable",
            (Freshness.Hour, false) => "public, max-age=3600, must-revalidate",
            (Freshness.Hour, true) => "private, max-age=3600, must-revalidate",
            (_, false) => "public, no-cache",
            (_, true) => "private, no-cache",
        };
    }

    /// <summary>
    /// What a content delivery network may do (RFC 9213), which is more than a browser may: it holds one copy for all. Null where it is to know no more than anybody:
    /// the answer is somebody's, or no version pins it.
    /// </summary>
    public static string? CdnCacheControl(HttpContext context, Freshness freshness, HttpCachingOptions options)
    {
        if (options.NoStore || options.CdnMaxAge <= TimeSpan.Zero || IsPrivate(context))
            return null;
        return freshness switch
        {
            Freshness.Immutable => string.Create(CultureInfo.InvariantCulture, $"max-age={(long)options.CdnMaxAge.TotalSeconds}, immutable, stale-if-error=604800"),
            Freshness.ImmutableHour => "max-age=3600, stale-while-revalidate=86400, stale-if-error=604800",
            _ => null,
        };
    }

    private static bool IsPrivate(HttpContext context) =>
        context.Request.Headers.Authorization.Count > 0 || context.Request.Headers.Cookie.Count > 0 || context.User.Identity is { IsAuthenticated: true };
}
