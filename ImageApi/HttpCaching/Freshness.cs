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
    /// <summary>
    /// The <c>Cache-Control</c> value. An answer to someone who proved who they are is <c>private</c>: a shared cache must not give it to
    /// somebody else.
    /// </summary>
    public static string CacheControl(HttpContext context, Freshness freshness, HttpCachingOptions options)
    {
        if (options.NoStore)
            return "no-store";
        var isPrivate = context.Request.Headers.Authorization.Count > 0 || context.Request.Headers.Cookie.Count > 0
            || context.User.Identity is { IsAuthenticated: true };
        return (freshness, isPrivate) switch
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
}
