using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace ImageApi.HttpCaching;

internal enum RangeOutcome
{
    /// <summary>No range, one that cannot be read, or several: the whole representation with 200 (RFC 9110 14.2 allows it).</summary>
    Whole,

    /// <summary>One satisfiable range: 206.</summary>
    Partial,

    /// <summary>One range that starts beyond the end: 416.</summary>
    Unsatisfiable,
}

/// <summary>Reads a <c>Range</c> header of one byte range (RFC 9110 14.1.2) against a known length.</summary>
internal static class RangeHeader
{
    public static RangeOutcome Resolve(StringValues header, long length, out long offset, out long count)
    {
        (offset, count) = (0, length);
        if (header.Count != 1 || header[0] is not { } line || !line.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
            return RangeOutcome.Whole;
        var spec = line.AsSpan(6).Trim();
        var dash = spec.IndexOf('-');
        if (dash < 0 || spec.Contains(','))
            return RangeOutcome.Whole;
        var first = spec[..dash].Trim();
        var last = spec[(dash + 1)..].Trim();
        if (first.IsEmpty)
        {
            if (!TryReadPosition(last, out var suffix))
                return RangeOutcome.Whole;
            if (suffix == 0 || length == 0)
                return RangeOutcome.Unsatisfiable;
            count = Math.Min(suffix, length);
            offset = length - count;
            return RangeOutcome.Partial;
        }
        var end = long.MaxValue;
        if (!TryReadPosition(first, out var start) || (!last.IsEmpty && !TryReadPosition(last, out end)) || end < start)
            return RangeOutcome.Whole;
        if (start >= length)
            return RangeOutcome.Unsatisfiable;
        offset = start;
        count = Math.Min(end, length - 1) - start + 1;
        return RangeOutcome.Partial;
    }

    // A position too large for 64 bits is beyond any end.
    private static bool TryReadPosition(ReadOnlySpan<char> text, out long position)
    {
        position = 0;
        if (text.IsEmpty || text.ContainsAnyExceptInRange('0', '9'))
            return false;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position))
            position = long.MaxValue;
        return true;
    }
}
