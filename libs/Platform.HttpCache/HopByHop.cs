namespace Platform.HttpCache;

/// <summary>Fields of one connection: never stored, never passed on.</summary>
public static class HopByHop
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    /// <summary>Whether the field belongs to one connection.</summary>
    public static bool Contains(string name) => Names.Contains(name);

    /// <summary>What decides how long an answer lives is kept even where a confused sender names it in <c>Connection</c>.</summary>
    internal static bool MustKeep(string name) => name.Equals("Cache-Control", StringComparison.OrdinalIgnoreCase) || name.Equals("Vary", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Authorization", StringComparison.OrdinalIgnoreCase);
}
