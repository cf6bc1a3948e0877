using Platform.HttpCache.Fields;

namespace Platform.HttpCache.Storing;

/// <summary>
/// How fresh a stored answer is (RFC 9111 4.2), judged anew from its lines on each use: a validation changes the lines and with them the
/// judgement. Seconds are held as <see cref="TimeSpan"/>, at most 68 years.
/// </summary>
internal readonly struct Freshness
{
    private readonly ResponseDirectives _directives;
    private readonly HttpFreshness _policy;
    private readonly bool _isShared, _clockWentBack;

    public Freshness(StoredResponse response, HttpCacheOptions options, DateTimeOffset now)
    {
        _directives = ResponseDirectives.Of(response.Headers);
        (_policy, _isShared) = (options.FreshnessNow, options.Shared);
        Lifetime = LifetimeOf(response.Status, response.Headers, _directives, response.ResponseTime, options, out var isExplicit);
        IsExplicit = isExplicit;
        // An answer of the future: our clock was set back, and nobody knows how long it has been here.
        _clockWentBack = now < response.ResponseTime;
        Age = AgeOf(response, now);
    }

    /// <summary>How long the answer is fresh after the origin made or validated it.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>Whether the answer itself, or a policy, says so; else it is a guess.</summary>
    public bool IsExplicit { get; }

    /// <summary>RFC 9111 4.2.3: the time since the origin made or validated it, as far as is known.</summary>
    public TimeSpan Age { get; }

    /// <summary>What is left of the lifetime; negative when stale.</summary>
    public TimeSpan Ttl => Lifetime - Age;

    public bool IsFresh => Ttl > TimeSpan.Zero && !_clockWentBack;

    /// <summary>Whether it may be given without asking the origin first.</summary>
    public bool MayServe(in RequestDirectives request)
    {
        if (_directives.NoCache || request.NoCache || request.MaxAge == 0 || _clockWentBack) return false;
        if (request.MaxAge is { } maxAge && Age > Seconds(maxAge)) return false;
        if (request.MinFresh is { } minFresh && Ttl < Seconds(minFresh)) return false;
        return IsFresh || (request.MaxStale is { } maxStale && MayBeStale && -Ttl <= Seconds(maxStale));
    }

    /// <summary>Whether it may be given stale while the origin is asked anew (RFC 5861 3).</summary>
    public bool MayServeWhileRevalidating(in RequestDirectives request) =>
        MayBeStale && !request.NoCache && request.MaxAge is null && request.MinFresh is null && !_clockWentBack
        && -Ttl < (_directives.StaleWhileRevalidate is { } seconds ? Seconds(seconds) : _policy.StaleWhileRevalidate);

    /// <summary>Whether it may be given in the place of a 5xx (RFC 5861 4).</summary>
    public bool MayServeOnError(in RequestDirectives request) => MayBeStale && !request.NoCache
        && -Ttl < Longest(_directives.StaleIfError is { } seconds ? Seconds(seconds) : TimeSpan.Zero, _policy.StaleIfError);

    /// <summary>Whether it may be given while the origin cannot be reached (RFC 9111 4.2.4).</summary>
    public bool MayServeDisconnected(in RequestDirectives request) =>
        MayServeOnError(request) || (MayBeStale && !request.NoCache && -Ttl < _policy.StaleWhenUnreachable);

    /// <summary>RFC 9111 4.2.4: nothing in the answer forbids to give it stale. For shared caches s-maxage forbids it too (5.2.2.10).</summary>
    private bool MayBeStale => !_directives.NoCache && !_directives.MustRevalidate
        && (!_isShared || (!_directives.ProxyRevalidate && (_directives.SharedMaxAge is null || _directives.IsTargeted)));

    /// <summary>RFC 9111 4.2.1 and 4.2.2.</summary>
    public static TimeSpan LifetimeOf(int status, HeaderLines headers, in ResponseDirectives directives, DateTimeOffset responseTime, HttpCacheOptions options, out bool isExplicit)
    {
        isExplicit = true;
        var policy = options.FreshnessNow;
        if (policy.Ttl is { } ttl && status is >= 200 and < 300) return ttl;
        if (options.Shared && directives.SharedMaxAge is { } shared) return Seconds(shared);
        if (directives.MaxAge is { } maxAge) return Seconds(maxAge);
        var date = DateOf(headers, responseTime);
        if (!directives.IsTargeted && headers.Contains("Expires"))
        {
            // RFC 9111 5.3: what is no date, "0" in particular, is in the past; so is what is said twice.
            return HttpDate.TryParse(headers.Single("Expires"), responseTime, out var expires) && expires > date ? expires - date : TimeSpan.Zero;
        }

        if (policy.NegativeTtl is { } negative && status is 404 or 405 or 410 or 414 or 501) return negative;
        isExplicit = false;
        if (!StatusCodes.IsHeuristicallyCacheable(status) && !directives.Public) return TimeSpan.Zero;
        if (!HttpDate.TryParse(headers.Single("Last-Modified"), responseTime, out var modified) || modified >= date) return TimeSpan.Zero;
        var guess = (date - modified) * policy.HeuristicFraction;
        return guess < policy.MaxHeuristic ? guess : policy.MaxHeuristic;
    }

    /// <summary>RFC 9111 4.2.3.</summary>
    private static TimeSpan AgeOf(StoredResponse response, DateTimeOffset now)
    {
        var apparent = Positive(response.ResponseTime - DateOf(response.Headers, response.ResponseTime));
        var corrected = AgeFieldOf(response.Headers) + Positive(response.ResponseTime - response.RequestTime);
        return Longest(apparent, corrected) + Positive(now - response.ResponseTime);
    }

    /// <summary>RFC 9111 5.1: the first of a list counts; what is no number is as if absent.</summary>
    private static TimeSpan AgeFieldOf(HeaderLines headers)
    {
        var field = headers.First("Age").AsSpan();
        var comma = field.IndexOf(',');
        if (comma >= 0) field = field[..comma];
        return DeltaSeconds.TryParse(field.Trim(" \t"), out var seconds) ? Seconds(seconds) : TimeSpan.Zero;
    }

    private static DateTimeOffset DateOf(HeaderLines headers, DateTimeOffset responseTime) =>
        HttpDate.TryParse(headers.First("Date"), responseTime, out var date) ? date : responseTime;

    private static TimeSpan Seconds(long seconds) => TimeSpan.FromTicks(seconds * TimeSpan.TicksPerSecond);

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;

    private static TimeSpan Longest(TimeSpan left, TimeSpan right) => left > right ? left : right;
}

/// <summary>What caches know of status codes.</summary>
internal static class StatusCodes
{
    /// <summary>RFC 9110 15.1: those that may be reused by a guess.</summary>
    public static bool IsHeuristicallyCacheable(int status) => status is 200 or 203 or 204 or 206 or 300 or 301 or 308 or 404 or 405 or 410 or 414 or 501;

    /// <summary>Those whose rules on caching we know and follow, for <c>must-understand</c> (RFC 9111 5.2.2.3).</summary>
    public static bool IsUnderstood(int status) => status is 200 or 203 or 204 or 206 or 300 or 301 or 302 or 303 or 307 or 308
        or 400 or 401 or 402 or 403 or 404 or 405 or 406 or 409 or 410 or 411 or 413 or 414 or 415 or 421 or 422 or 426 or 451
        or 500 or 501 or 502 or 503 or 504 or 505;

    /// <summary>The origin, or somebody before it, failed.</summary>
    public static bool IsFailure(int status) => status is 500 or 502 or 503 or 504;
}
