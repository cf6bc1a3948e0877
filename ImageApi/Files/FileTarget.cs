using System.Diagnostics.CodeAnalysis;

namespace ImageApi.Files;

/// <summary>
/// What a request below <c>/files/{origin}/</c> is for, letter by letter as it was asked: encoded slashes stay encoded, queries are kept. A path that
/// leads upwards, in whatever spelling, is refused, so that an origin's configured address stays the root of all that can be reached.
/// </summary>
internal static class FileTarget
{
    private const string Prefix = "/files/";

    /// <summary>The escaped path and query below the origin's address, from the request's raw target.</summary>
    public static bool TryRead(string rawTarget, string origin, [NotNullWhen(true)] out string? pathAndQuery)
    {
        pathAndQuery = null;
        var start = Prefix.Length + origin.Length + 1;
        if (rawTarget.Length < start || !rawTarget.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
            || !rawTarget.AsSpan(Prefix.Length, origin.Length).SequenceEqual(origin) || rawTarget[start - 1] != '/') return false;
        var rest = rawTarget.AsSpan(start);
        var query = rest.IndexOf('?');
        if (rest.ContainsAnyExceptInRange('!', '~') || rest.Contains('#') || !IsBelow(query < 0 ? rest : rest[..query])) return false;
        pathAndQuery = rest.ToString();
        return true;
    }

    /// <summary>No part is <c>.</c> or <c>..</c>, also where dots and separators are encoded, once or repeatedly.</summary>
    private static bool IsBelow(ReadOnlySpan<char> path)
    {
        if (path.StartsWith('/')) return false;
        var decoded = path.ToString();
        for (var i = 0; i < 4; i++)
        {
            foreach (var part in decoded.AsSpan().SplitAny('/', '\\'))
                if (decoded.AsSpan(part) is "." or "..") return false;
            if (decoded.AsSpan().ContainsAny('\0', '\r', '\n')) return false;
            var next = Uri.UnescapeDataString(decoded);
            if (next == decoded) return true;
            decoded = next;
        }

        return false;
    }
}
