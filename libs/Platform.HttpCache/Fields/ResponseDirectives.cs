namespace Platform.HttpCache.Fields;

/// <summary>
/// What an answer lets a shared cache do (RFC 9111 5.2.2): from <c>CDN-Cache-Control</c> (RFC 9213) where that is well-formed and not
/// empty, else from <c>Cache-Control</c>. Times in seconds. A repeated directive counts once, the first time; a broken freshness lifetime is
/// 0, because RFC 9111 4.2.1 wants such an answer to be stale. Directives that name fields count as if they named none.
/// </summary>
internal readonly record struct ResponseDirectives
{
    public const string TargetedField = "CDN-Cache-Control";

    public long? MaxAge { get; private init; }

    public long? SharedMaxAge { get; private init; }

    public long? StaleWhileRevalidate { get; private init; }

    public long? StaleIfError { get; private init; }

    public bool NoCache { get; private init; }

    public bool NoStore { get; private init; }

    public bool Private { get; private init; }

    public bool Public { get; private init; }

    public bool MustRevalidate { get; private init; }

    public bool ProxyRevalidate { get; private init; }

    public bool MustUnderstand { get; private init; }

    /// <summary>The targeted field spoke: <c>Cache-Control</c> and <c>Expires</c> are not for us then (RFC 9213 2.1).</summary>
    public bool IsTargeted { get; private init; }

    public static ResponseDirectives Of(HeaderLines headers) =>
        headers.Combined(TargetedField) is { } targeted && TryParseTargeted(targeted, out var parsed) ? parsed : Parse(headers.Combined("Cache-Control"));

    private static ResponseDirectives Parse(string? field)
    {
        var parsed = new ResponseDirectives();
        var list = new DirectiveList(field);
        while (list.MoveNext())
            parsed = parsed.With(list.Name, DeltaSeconds.TryParse(list.Value, out var seconds) ? seconds : null, StringComparison.OrdinalIgnoreCase);
        return parsed;
    }

    private static bool TryParseTargeted(string field, out ResponseDirectives parsed)
    {
        parsed = new ResponseDirectives { IsTargeted = true };
        if (!StructuredDictionary.TryParse(field, out var members) || members.Count == 0) return false;
        foreach (var member in members)
        {
            var isLifetime = member.Key is "max-age" or "s-maxage" or "stale-while-revalidate" or "stale-if-error";
            if (isLifetime && (member.Type != StructuredType.Integer || member.Number < 0)) return false;
            if (member is { Type: StructuredType.Boolean, Number: 0 }) continue;
            parsed = parsed.With(member.Key, isLifetime ? Math.Min(member.Number, DeltaSeconds.Infinite) : null, StringComparison.Ordinal);
        }

        return true;
    }

    private ResponseDirectives With(ReadOnlySpan<char> name, long? seconds, StringComparison comparison) => name switch
    {
        _ when name.Equals("max-age", comparison) => this with { MaxAge = MaxAge ?? seconds ?? 0 },
        _ when name.Equals("s-maxage", comparison) => this with { SharedMaxAge = SharedMaxAge ?? seconds ?? 0 },
        _ when name.Equals("stale-while-revalidate", comparison) => this with { StaleWhileRevalidate = StaleWhileRevalidate ?? seconds ?? 0 },
        _ when name.Equals("stale-if-error", comparison) => this with { StaleIfError = StaleIfError ?? seconds ?? 0 },
        _ when name.Equals("no-cache", comparison) => this with { NoCache = true },
        _ when name.Equals("no-store", comparison) => this with { NoStore = true },
        _ when name.Equals("private", comparison) => this with { Private = true },
        _ when name.Equals("public", comparison) => this with { Public = true },
        _ when name.Equals("must-revalidate", comparison) => this with { MustRevalidate = true },
        _ when name.Equals("proxy-revalidate", comparison) => this with { ProxyRevalidate = true },
        _ when name.Equals("must-understand", comparison) => this with { MustUnderstand = true },
        _ => this,
    };
}
