using Microsoft.Extensions.Primitives;

namespace ImageApi.HttpCaching;

/// <summary>What the request's conditions say about a representation (RFC 9110 13.2.2).</summary>
internal enum Precondition
{
    /// <summary>Send the representation.</summary>
    Pass,

    /// <summary>The client has it already: 304.</summary>
    NotModified,

    /// <summary>The client asked for another one: 412.</summary>
    Failed,
}

/// <summary>
/// Evaluates conditional requests in the order of RFC 9110 13.2.2: If-Match, else If-Unmodified-Since; then
/// If-None-Match, which makes If-Modified-Since silent.
/// </summary>
internal static class Preconditions
{
    public static Precondition Evaluate(HttpRequest request, string entityTag, DateTimeOffset? lastModified)
    {
        var headers = request.Headers;
        if (headers.IfMatch is { Count: > 0 } ifMatch)
        {
            if (!Lists(ifMatch, entityTag, isWeakComparison: false))
                return Precondition.Failed;
        }
        else if (headers.IfUnmodifiedSince.Count > 0 && TryReadDate(headers.IfUnmodifiedSince, out var unmodifiedSince)
            && lastModified is { } changed && Seconds(changed) > unmodifiedSince)
        {
            return Precondition.Failed;
        }

        if (headers.IfNoneMatch is { Count: > 0 } ifNoneMatch)
            return Lists(ifNoneMatch, entityTag, isWeakComparison: true) ? Precondition.NotModified : Precondition.Pass;
        if (headers.IfModifiedSince.Count > 0 && TryReadDate(headers.IfModifiedSince, out var modifiedSince)
            && lastModified is { } modified && Seconds(modified) <= modifiedSince)
            return Precondition.NotModified;
        return Precondition.Pass;
    }

    /// <summary>Whether a Range applies: no If-Range, or one that names exactly this representation (RFC 9110 13.1.5).</summary>
    public static bool IfRangeHolds(HttpRequest request, string entityTag, DateTimeOffset? lastModified)
    {
        var ifRange = request.Headers.IfRange;
        if (ifRange.Count == 0)
            return true;
        var value = ifRange.ToString().Trim();
        if (value.StartsWith('"'))
            return value == entityTag;
        return TryReadDate(value, out var date) && lastModified is { } modified && Seconds(modified) == date;
    }

    /// <summary>Whether a list of entity tags, or <c>*</c>, names this one.</summary>
    internal static bool Lists(StringValues header, string entityTag, bool isWeakComparison)
    {
        foreach (var line in header)
        {
            if (line is null)
                continue;
            if (line == entityTag)
                return true;
            var rest = line.AsSpan().Trim();
            if (rest is "*")
                return true;
            while (!rest.IsEmpty)
            {
                var isWeak = rest.StartsWith("W/");
                var tag = isWeak ? rest[2..] : rest;
                if (tag.IsEmpty || tag[0] != '"')
                    break; // not a list of entity tags: what follows cannot be trusted
                var end = tag[1..].IndexOf('"');
                if (end < 0)
                    break;
                if ((isWeakComparison || !isWeak) && tag[..(end + 2)].SequenceEqual(entityTag))
                    return true;
                rest = tag[(end + 2)..].TrimStart();
                if (!rest.IsEmpty && rest[0] == ',')
                    rest = rest[1..].TrimStart();
            }
        }
        return false;
    }

    // HTTP dates have whole seconds.
    private static DateTimeOffset Seconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private static bool TryReadDate(StringValues value, out DateTimeOffset date) =>
        Microsoft.Net.Http.Headers.HeaderUtilities.TryParseDate(value.ToString(), out date);
}
