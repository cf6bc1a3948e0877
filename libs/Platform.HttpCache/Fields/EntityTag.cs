namespace Platform.HttpCache.Fields;

/// <summary>Entity tags as they were received (RFC 9110 8.8.3). Malformed ones (without quotes) are compared letter by letter and are never strong.</summary>
internal static class EntityTag
{
    public static bool IsStrong(string? tag) => tag is ['"', .., '"'] && tag.Length >= 2;

    /// <summary>RFC 9110 8.8.3.2: both strong and equal.</summary>
    public static bool StrongEquals(string? left, string? right) => IsStrong(left) && string.Equals(left, right, StringComparison.Ordinal);

    /// <summary>RFC 9110 8.8.3.2: equal but for weakness.</summary>
    public static bool WeakEquals(ReadOnlySpan<char> left, ReadOnlySpan<char> right) => Opaque(left).SequenceEqual(Opaque(right));

    /// <summary>Whether the list of an <c>If-None-Match</c> names <paramref name="tag"/>, by weak comparison (RFC 9110 13.1.2).</summary>
    public static bool ListContains(string list, string tag)
    {
        var rest = list.AsSpan();
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            if (rest.IsEmpty) return false;
            var end = EndOfTag(rest);
            if (WeakEquals(rest[..end].TrimEnd(" \t"), tag)) return true;
            rest = rest[end..];
        }
    }

    private static ReadOnlySpan<char> Opaque(ReadOnlySpan<char> tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;

    /// <summary>A comma may stand within the quotes.</summary>
    private static int EndOfTag(ReadOnlySpan<char> text)
    {
        var quote = text.IndexOf('"');
        var comma = text.IndexOf(',');
        if (quote < 0 || (comma >= 0 && comma < quote)) return comma < 0 ? text.Length : comma;
        var close = text[(quote + 1)..].IndexOf('"');
        return close < 0 ? text.Length : quote + 1 + close + 1;
    }
}
