using System.Collections.Immutable;
using System.Globalization;

namespace Platform.HttpCache.Fields;

/// <summary>A request field that an answer depends on, with its normalised value; null where the request had none.</summary>
internal readonly record struct VaryField(string Name, string? Value);

/// <summary>
/// Which requests an answer is for (RFC 9111 4.1). Values are compared after changes that cannot change their meaning: lines joined, whitespace
/// around commas removed, and in the fields of content negotiation letter case and order set aside where no preference is told.
/// </summary>
internal static class VaryFields
{
    private const int MaxFields = 32;

    /// <summary>The fields that the answer names with the values that <paramref name="request"/> has; false for <c>*</c>, and for more than is sensible.</summary>
    public static bool TryTake(HeaderLines response, HeaderLines request, out ImmutableArray<VaryField> fields)
    {
        fields = [];
        if (response.Combined("Vary") is not { } vary) return true;
        var names = vary.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Contains("*") || names.Length > MaxFields) return false;
        fields = [.. names.Select(static name => name.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal).Select(name => new VaryField(name, Normalise(name, request.Combined(name))))];
        return true;
    }

    public static bool Match(ImmutableArray<VaryField> fields, HeaderLines request)
    {
        foreach (var field in fields)
            if (field.Value != Normalise(field.Name, request.Combined(field.Name))) return false;
        return true;
    }

    private static string? Normalise(string name, string? value)
    {
        if (value is null) return null;
        // A comma or a space within quotes may mean something: such values are left alone.
        if (value.Contains('"')) return value.Trim();
        var elements = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return name is "accept-language" or "accept-encoding" or "accept-charset"
            ? string.Join(',', elements.Select(static element => element.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()).OrderByDescending(Quality).ThenBy(static element => element, StringComparer.Ordinal))
            : string.Join(',', elements);
    }

    private static double Quality(string element)
    {
        var q = element.IndexOf(";q=", StringComparison.Ordinal);
        return q >= 0 && double.TryParse(element.AsSpan(q + 3), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality) ? quality : 1;
    }
}
