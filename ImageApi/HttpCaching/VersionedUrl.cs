using ImageApi.Problems;
using Platform.TieredCache;

namespace ImageApi.HttpCaching;

/// <summary>
/// The <c>v</c> query parameter: 16 hexadecimal digits of the content that a listing or manifest named. The URL of a version always gives
/// that version, or 404 naming the current one; so its answer never goes stale.
/// </summary>
internal static class VersionedUrl
{
    public const string Parameter = "v";

    /// <summary>
    /// What derived frames are made by, beside the version: who holds a part of a derived stream gets the rest of that one, or 404, and never of a stream that another
    /// encoder made meanwhile.
    /// </summary>
    public const string EncodingParameter = "e";

    /// <summary>The freshness of the answer, or the problem when another version was asked for.</summary>
    public static Freshness Check(HttpRequest request, Digest256 current, Freshness unversioned, out Problem? problem)
    {
        problem = null;
        if (!request.QueryString.HasValue || !request.Query.TryGetValue(Parameter, out var asked))
            return unversioned;
        var version = current.ToShortString();
        if (asked.Count != 1 || !string.Equals(asked[0], version, StringComparison.OrdinalIgnoreCase))
            problem = Problem.StaleVersion(version);
        return Freshness.Immutable;
    }

    /// <summary>The problem when the request names another encoding than the one in use; null when it names that or none.</summary>
    public static Problem? CheckEncoding(HttpRequest request, string current) =>
        request.QueryString.HasValue && request.Query.TryGetValue(EncodingParameter, out var asked) && asked != current ? Problem.StaleVersion(current) : null;
}
