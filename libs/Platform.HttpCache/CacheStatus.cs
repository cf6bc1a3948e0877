using System.Globalization;
using System.Text;
using Platform.TieredCache;

namespace Platform.HttpCache;

/// <summary>Why a request went to the origin (RFC 9211 2.2).</summary>
internal enum Forwarded
{
    No,
    Bypass,
    Method,
    UriMiss,
    VaryMiss,
    Request,
    Stale,
    Partial,
}

/// <summary>What happened to a request, as a member of <c>Cache-Status</c> (RFC 9211).</summary>
internal sealed record CacheStatus(Forwarded Forward)
{
    public const string FieldName = "Cache-Status";

    public int? ForwardStatus { get; init; }

    public bool Stored { get; init; }

    public bool Collapsed { get; init; }

    /// <summary>What is left of the freshness lifetime.</summary>
    public TimeSpan? Ttl { get; init; }

    public string? Detail { get; init; }

    public string Write(string cacheName)
    {
        var text = new StringBuilder(cacheName, 80);
        if (Forward == Forwarded.No) text.Append("; hit");
        else text.Append("; fwd=").Append(NameOf(Forward));
        if (ForwardStatus is { } status) text.Append(CultureInfo.InvariantCulture, $"; fwd-status={status}");
        if (Ttl is { } ttl) text.Append(CultureInfo.InvariantCulture, $"; ttl={(long)Math.Floor(ttl.TotalSeconds)}");
        if (Stored) text.Append("; stored");
        if (Collapsed) text.Append("; collapsed");
        if (Detail is not null) text.Append("; detail=").Append(Detail);
        return text.ToString();
    }

    public static string NameOf(CacheTier tier) => tier switch
    {
        CacheTier.Memory => "memory",
        CacheTier.Redis => "redis",
        CacheTier.Disk => "disk",
        _ => "origin",
    };

    private static string NameOf(Forwarded forward) => forward switch
    {
        Forwarded.Bypass => "bypass",
        Forwarded.Method => "method",
        Forwarded.UriMiss => "uri-miss",
        Forwarded.VaryMiss => "vary-miss",
        Forwarded.Request => "request",
        Forwarded.Stale => "stale",
        _ => "partial",
    };
}
