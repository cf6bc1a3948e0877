namespace Platform.HttpCache.Fields;

/// <summary>What a request's <c>Cache-Control</c> asks of us (RFC 9111 5.2.1). Times in seconds; what is malformed is as if absent.</summary>
internal readonly record struct RequestDirectives
{
    public long? MaxAge { get; private init; }

    public long? MaxStale { get; private init; }

    public long? MinFresh { get; private init; }

    public bool NoCache { get; private init; }

    public bool NoStore { get; private init; }

    public bool OnlyIfCached { get; private init; }

    public static RequestDirectives Parse(string? field)
    {
        var parsed = new RequestDirectives();
        var list = new DirectiveList(field);
        while (list.MoveNext())
        {
            var seconds = DeltaSeconds.TryParse(list.Value, out var number) ? number : (long?)null;
            if (Is(list, "no-cache")) parsed = parsed with { NoCache = true };
            else if (Is(list, "no-store")) parsed = parsed with { NoStore = true };
            else if (Is(list, "only-if-cached")) parsed = parsed with { OnlyIfCached = true };
            else if (Is(list, "max-age")) parsed = parsed with { MaxAge = parsed.MaxAge ?? seconds };
            else if (Is(list, "min-fresh")) parsed = parsed with { MinFresh = parsed.MinFresh ?? seconds };
            else if (Is(list, "max-stale")) parsed = parsed with { MaxStale = parsed.MaxStale ?? (list.HasValue ? seconds : DeltaSeconds.Infinite) };
        }

        return parsed;
    }

    private static bool Is(in DirectiveList list, string name) => list.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
