using System.Globalization;
using ImageApi.Catalog;
using ImageApi.Negotiation;

namespace ImageApi.Search;

/// <summary>
/// Turns the value of a matching key into a condition (PS3.4 C.2.2.2, PS3.18 8.3.4): single value, universal, wildcard, range, list of UIDs,
/// empty value. Text may list alternatives with a backslash.
/// </summary>
internal static class MatchingValue
{
    private const int MaxValueLength = 1024;
    private const int MaxAlternatives = 1000;

    /// <summary>
    /// The condition, or null where everything matches (an empty value, or <c>*</c> alone). What cannot be read is a
    /// sentence in <paramref name="error"/> that does not repeat the value: it may be a patient's.
    /// </summary>
    public static CatalogCondition? Parse(SearchKey key, string value, bool isFuzzy, out string? error)
    {
        error = null;
        value = value.Trim(' ');
        if (value.Length == 0 || (value == "*" && key.Kind is not (SearchValueKind.Uid or SearchValueKind.Date or SearchValueKind.Time)))
            return null;
        if (value == "\"\"")
            return new CatalogCondition(key.Path, CatalogMatch.Empty);
        switch (key.Kind)
        {
            case SearchValueKind.Uid:
                return ParseUids(key, value, out error);
            case SearchValueKind.Date:
                return ParseRange(key, value, IsDate, "a date (yyyyMMdd) or a range of dates", out error);
            case SearchValueKind.Time:
                return ParseRange(key, value, IsTime, "a time (HHmmss.ffffff or less) or a range of times", out error);
            case SearchValueKind.Integer:
                return ParseIntegers(key, value, out error);
            default:
                return ParseText(key, value, isFuzzy, out error);
        }
    }

    private static CatalogCondition? ParseUids(SearchKey key, string value, out string? error)
    {
        error = null;
        var uids = value.Split([',', '\\'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (uids.Length == 0 || !Array.TrueForAll(uids, Uids.IsValid))
        {
            error = "is not a UID or a list of UIDs";
            return null;
        }
        return uids.Length == 1 ? new(key.Path, CatalogMatch.Exact, uids[0]) : new(key.Path, CatalogMatch.AnyOf, uids);
    }

    private static CatalogCondition? ParseIntegers(SearchKey key, string value, out string? error)
    {
        error = null;
        var numbers = value.Split('\\');
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!int.TryParse(numbers[i], NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number))
            {
                error = "is not a whole number";
                return null;
            }
            numbers[i] = number.ToString(CultureInfo.InvariantCulture);
        }
        return numbers.Length == 1 ? new(key.Path, CatalogMatch.Exact, numbers[0]) : new(key.Path, CatalogMatch.AnyOf, numbers);
    }

    private static CatalogCondition? ParseText(SearchKey key, string value, bool isFuzzy, out string? error)
    {
        error = value.Length > MaxValueLength ? $"is longer than {MaxValueLength} characters" : null;
        if (error is not null)
            return null;
        var separators = key.Kind == SearchValueKind.Code ? new[] { '\\', ',' } : ['\\'];
        var values = value.Split(separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (values.Length is 0 or > MaxAlternatives)
        {
            error = $"lists no value, or more than {MaxAlternatives}";
            return null;
        }
        if (values.Length > 1)
        {
            if (!Array.Exists(values, HasWildcard))
                return new(key.Path, CatalogMatch.AnyOf, values);
            error = "mixes wildcards with a list";
            return null;
        }
        if (HasWildcard(values[0]))
            return new(key.Path, CatalogMatch.Wildcard, values[0]);
        return new(key.Path, isFuzzy && key.Kind == SearchValueKind.PersonName ? CatalogMatch.FuzzyName : CatalogMatch.Exact, values[0]);
    }

    private static CatalogCondition? ParseRange(SearchKey key, string value, Func<string, bool> isValid, string expected, out string? error)
    {
        error = $"is not {expected}";
        var dash = value.IndexOf('-');
        string? first = value, last = value;
        if (dash >= 0)
            (first, last) = (value[..dash].Trim(), value[(dash + 1)..].Trim());
        if ((first.Length > 0 && !isValid(first)) || (last.Length > 0 && !isValid(last)) || first.Length + last.Length == 0)
            return null;
        error = null;
        return new(key.Path, CatalogMatch.Range, first.Length == 0 ? null : first, last.Length == 0 ? null : last);
    }

    private static bool HasWildcard(string value) => value.AsSpan().ContainsAny('*', '?');

    private static bool IsDate(string text) =>
        text.Length == 8 && DateOnly.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    // PS3.5 6.2 TM: HH, HHMM, HHMMSS, HHMMSS.F to HHMMSS.FFFFFF; 60 seconds is a leap second.
    private static bool IsTime(string text)
    {
        var dot = text.IndexOf('.');
        var whole = dot < 0 ? text : text[..dot];
        var fraction = dot < 0 ? "" : text[(dot + 1)..];
        if (whole.AsSpan().ContainsAnyExceptInRange('0', '9') || fraction.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        if (whole.Length is not (2 or 4 or 6) || (dot >= 0 && (whole.Length != 6 || fraction.Length is < 1 or > 6)))
            return false;
        return Pair(whole, 0) <= 23 && Pair(whole, 2) <= 59 && Pair(whole, 4) <= 60;
    }

    private static int Pair(string digits, int at) =>
        at >= digits.Length ? 0 : int.Parse(digits.AsSpan(at, 2), NumberStyles.None, CultureInfo.InvariantCulture);
}
