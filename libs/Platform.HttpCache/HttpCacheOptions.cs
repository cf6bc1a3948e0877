namespace Platform.HttpCache;

/// <summary>How one cache behaves. One instance per origin.</summary>
public sealed record HttpCacheOptions
{
    /// <summary>The origin's name: part of every key and of <c>Cache-Status</c>, and the tag by which all of it is forgotten.</summary>
    public required string Name { get; init; }

    /// <summary>What we are called in <c>Cache-Status</c> (RFC 9211 2): a token.</summary>
    public string CacheName { get; init; } = "platform";

    /// <summary>True: serves several people, so <c>private</c>, <c>s-maxage</c>, <c>proxy-revalidate</c> and the rules on credentials apply (RFC 9111 3.5).</summary>
    public bool Shared { get; init; } = true;

    /// <summary>How long answers live where the origin does not say, or where it is not to be asked.</summary>
    public HttpFreshness Freshness { get; init; } = new();

    /// <summary>Asked in the place of <see cref="Freshness"/> on each use, where policies change at run time.</summary>
    public Func<HttpFreshness>? LiveFreshness { get; init; }

    internal HttpFreshness FreshnessNow => LiveFreshness?.Invoke() ?? Freshness;

    /// <summary>The most bytes of one body; a longer one is passed on and not stored. One that told no length fails when it grows beyond.</summary>
    public long MaxBodyBytes { get; init; } = 4L << 30;

    /// <summary>The most bytes of one answer's header lines; with more it is passed on and not stored.</summary>
    public int MaxHeaderBytes { get; init; } = 16 << 10;

    /// <summary>The most answers kept for one URI, by <c>Vary</c>; the oldest leave.</summary>
    public int MaxVariants { get; init; } = 16;

    /// <summary>The most pieces that a body may be stored in; beyond that the smallest are given up.</summary>
    public int MaxSegments { get; init; } = 64;

    /// <summary>A range that begins further than this beyond what has arrived of the whole becomes a request of its own.</summary>
    public long FollowBytes { get; init; } = 4 << 20;

    /// <summary>How often a body that breaks off is taken up again where it broke, if the origin gave it a strong validator and serves ranges.</summary>
    public int MaxResumptions { get; init; } = 5;

    /// <summary>How long a body may be silent before it counts as broken off.</summary>
    public TimeSpan BodyIdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long asking anew behind a stale answer's back may take, body included.</summary>
    public TimeSpan BackgroundTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many such questions may be under way at once; further ones wait for the next request.</summary>
    public int MaxBackground { get; init; } = 16;
}

/// <summary>How long answers live beyond what they say of themselves. Prohibitions (<c>no-store</c>, <c>private</c>, <c>no-cache</c>, <c>must-revalidate</c>) are never overridden.</summary>
public sealed record HttpFreshness
{
    /// <summary>The freshness lifetime of successful answers, whatever they say; null for what they say.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>How long after it became stale an answer may be given while the origin is asked anew (RFC 5861 3), where the answer does not say.</summary>
    public TimeSpan StaleWhileRevalidate { get; init; }

    /// <summary>How long after it became stale an answer may be given when the origin fails with a 5xx (RFC 5861 4), where the answer does not say.</summary>
    public TimeSpan StaleIfError { get; init; }

    /// <summary>
    /// How long after it became stale an answer may be given when the origin cannot be reached at all (RFC 9111 4.2.4 allows it to a cache that is disconnected).
    /// </summary>
    public TimeSpan StaleWhenUnreachable { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The freshness lifetime of "there is none" (404, 405, 410, 414, 501) where the answer does not say; null for the heuristic.</summary>
    public TimeSpan? NegativeTtl { get; init; }

    /// <summary>The part of the time since the last modification that an answer without a lifetime is taken to be fresh for (RFC 9111 4.2.2).</summary>
    public double HeuristicFraction { get; init; } = 0.1;

    /// <summary>The longest such lifetime.</summary>
    public TimeSpan MaxHeuristic { get; init; } = TimeSpan.FromHours(24);
}
