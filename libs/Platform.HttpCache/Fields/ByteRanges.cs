using System.Globalization;

namespace Platform.HttpCache.Fields;

/// <summary>
/// One byte range of a request (RFC 9110 14.1.2): from <see cref="First"/> to <see cref="Last"/> inclusive or to the end, or the
/// last <see cref="Suffix"/> bytes.
/// </summary>
internal readonly record struct RangeRequest(long First, long? Last, long? Suffix)
{
    /// <summary>
    /// True for one well-formed range of bytes. Several ranges, other units and malformed fields are ignored, which RFC 9110 14.2 allows: the
    /// answer is the whole representation.
    /// </summary>
    public static bool TryParse(string? field, out RangeRequest range)
    {
        range = default;
        if (field is null || !field.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) return false;
        var spec = field.AsSpan(6).Trim(" \t");
        var dash = spec.IndexOf('-');
        if (dash < 0) return false;
        var first = spec[..dash].Trim(" \t");
        var last = spec[(dash + 1)..].Trim(" \t");
        if (first.IsEmpty)
        {
            if (!TryReadPosition(last, out var suffix)) return false;
            range = new RangeRequest(0, null, suffix);
            return true;
        }

        if (!TryReadPosition(first, out var begin)) return false;
        if (last.IsEmpty)
        {
            range = new RangeRequest(begin, null, null);
            return true;
        }

        if (!TryReadPosition(last, out var end) || end < begin) return false;
        range = new RangeRequest(begin, end, null);
        return true;
    }

    /// <summary>The bytes meant of a representation of <paramref name="length"/> bytes; false when there are none (416).</summary>
    public bool TryResolve(long length, out long offset, out long count)
    {
        if (Suffix is { } suffix)
        {
            count = Math.Min(suffix, length);
            offset = length - count;
            return count > 0;
        }

        offset = First;
        count = Math.Min(Last ?? long.MaxValue, length - 1) - First + 1;
        return First < length;
    }

    public override string ToString() => Suffix is { } suffix
        ? string.Create(CultureInfo.InvariantCulture, $"bytes=-{suffix}")
        : string.Create(CultureInfo.InvariantCulture, $"bytes={First}-{Last}");

    // A position too large for 64 bits lies beyond any end.
    private static bool TryReadPosition(ReadOnlySpan<char> text, out long position)
    {
        position = 0;
        if (text.IsEmpty || text.ContainsAnyExceptInRange('0', '9')) return false;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position)) position = long.MaxValue - 1;
        return true;
    }
}

/// <summary>The <c>Content-Range</c> of a 206 (RFC 9110 14.4): bytes from <paramref name="First"/> to <paramref name="Last"/> inclusive; the complete length where it is known.</summary>
internal readonly record struct ContentRange(long First, long Last, long? Length)
{
    public long Count => Last - First + 1;

    public static bool TryParse(string? field, out ContentRange range)
    {
        range = default;
        if (field is null || !field.StartsWith("bytes ", StringComparison.OrdinalIgnoreCase)) return false;
        var spec = field.AsSpan(6).Trim(" \t");
        var (dash, slash) = (spec.IndexOf('-'), spec.IndexOf('/'));
        if (dash < 1 || slash <= dash || !TryNumber(spec[..dash], out var first) || !TryNumber(spec[(dash + 1)..slash], out var last) || last < first) return false;
        long? length = null;
        if (spec[(slash + 1)..] is not "*")
        {
            if (!TryNumber(spec[(slash + 1)..], out var complete) || complete <= last) return false;
            length = complete;
        }

        range = new ContentRange(first, last, length);
        return true;
    }

    public override string ToString() => Length is { } length
        ? string.Create(CultureInfo.InvariantCulture, $"bytes {First}-{Last}/{length}")
        : string.Create(CultureInfo.InvariantCulture, $"bytes {First}-{Last}/*");

    private static bool TryNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
