using Platform.HttpCache.Fields;

namespace Platform.HttpCache.Storing;

/// <summary>Whether an answer may be kept (RFC 9111 3), and is worth keeping: one that is never fresh and cannot be validated is not.</summary>
internal static class Storability
{
    public static bool MayStore(HttpMethod method, in RequestDirectives requested, HeaderLines request, StoredResponse response, HttpCacheOptions options)
    {
        var (status, headers) = (response.Status, response.Headers);
        var directives = ResponseDirectives.Of(headers);
        if (status < 200 || status is 304 or 416) return false;
        if (requested.NoStore) return false;
        // RFC 9111 5.2.2.3: who understands the status may ignore the no-store beside must-understand; who does not must not keep it.
        if (directives.MustUnderstand ? !StatusCodes.IsUnderstood(status) : directives.NoStore) return false;
        if (options.Shared && directives.Private) return false;
        if (headers.Bytes > options.MaxHeaderBytes) return false;
        // RFC 9111 3.5
        if (options.Shared && request.Contains("Authorization") && !directives.Public && !directives.MustRevalidate && directives.SharedMaxAge is null) return false;
        var lifetime = Freshness.LifetimeOf(status, headers, directives, response.ResponseTime, options, out var isExplicit);
        if (method != HttpMethod.Get && !(isExplicit && lifetime > TimeSpan.Zero)) return false;
        if (!isExplicit)
        {
            if (!StatusCodes.IsHeuristicallyCacheable(status) && !directives.Public) return false;
            // A cookie is somebody's: it is shared where the origin says how long, never by a guess.
            if (headers.Contains("Set-Cookie")) return false;
        }

        return lifetime > TimeSpan.Zero || (response.HasValidator && status is 200 or 203 or 206);
    }
}
