using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;

namespace Platform.HttpCache;

internal enum WantedKind
{
    Whole,
    Range,
    /// <summary>Header lines only: HEAD.</summary>
    Header,
    NotModified,
    RangeNotSatisfiable,
    /// <summary>A range of a body whose length nobody has told.</summary>
    Unknown,
}

/// <summary>What a request wants of a stored answer: conditions and ranges resolved against its validators and length.</summary>
internal readonly record struct Wanted(WantedKind Kind, long Offset = 0, long? Count = null)
{
    public static Wanted Of(CacheRequest request, StoredResponse stored, DateTimeOffset now)
    {
        // RFC 9110 13.2.1: conditions are for what would be answered with success.
        if (stored.Status == 200)
        {
            if (IsNotModified(request, stored, now)) return new(WantedKind.NotModified);
            if (request.Range is { } range && IfRangeHolds(request, stored)) return Resolve(range, stored);
        }

        return request.IsHead ? new(WantedKind.Header) : new(WantedKind.Whole, 0, stored.Length);
    }

    private static Wanted Resolve(in RangeRequest range, StoredResponse stored)
    {
        if (stored.Length is { } length)
            return range.TryResolve(length, out var offset, out var count) ? new(WantedKind.Range, offset, count) : new(WantedKind.RangeNotSatisfiable);
        return range is { Suffix: null, Last: { } last } && last < long.MaxValue - 1 ? new(WantedKind.Range, range.First, last - range.First + 1) : new(WantedKind.Unknown);
    }

    /// <summary>RFC 9111 4.3.2: If-None-Match goes before If-Modified-Since.</summary>
    private static bool IsNotModified(CacheRequest request, StoredResponse stored, DateTimeOffset now)
    {
        if (request.Headers.Combined("If-None-Match") is { } tags)
            return tags.Trim() == "*" || (stored.EntityTag is { } tag && EntityTag.ListContains(tags, tag));
        if (!HttpDate.TryParse(request.Headers.Single("If-Modified-Since"), now, out var since)) return false;
        var changed = HttpDate.TryParse(stored.LastModified, now, out var modified) ? modified
            : HttpDate.TryParse(stored.Headers.First("Date"), now, out var date) ? date
            : stored.ResponseTime;
        return changed <= since;
    }

    /// <summary>RFC 9110 13.1.5: the very entity tag, strong, or the very date; anything else means the whole.</summary>
    private static bool IfRangeHolds(CacheRequest request, StoredResponse stored)
    {
        if (request.Headers.Combined("If-Range") is not { } condition) return true;
        return condition.Contains('"') ? EntityTag.StrongEquals(condition, stored.EntityTag) : condition == stored.LastModified;
    }
}
