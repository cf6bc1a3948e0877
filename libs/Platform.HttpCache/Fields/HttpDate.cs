using System.Globalization;

namespace Platform.HttpCache.Fields;

/// <summary>
/// Dates of HTTP (RFC 9110 5.6.7): IMF-fixdate, and the obsolete forms of RFC 850 and asctime that recipients must accept. Strict
/// in form, because RFC 9111 5.3 wants a broken <c>Expires</c> to be in the past; lenient in letter case and in the weekday, which
/// says nothing that the date does not.
/// </summary>
internal static class HttpDate
{
    private const int FiftyYears = 50;

    /// <summary>The form that is sent.</summary>
    public static string Format(DateTimeOffset date) => date.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);

    public static bool TryParse(string? text, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (text is null) return false;
        var value = text.AsSpan().Trim(" \t");
        var comma = value.IndexOf(',');
        if (comma < 0) return TryParseAscTime(value, out date);
        return comma == 3 ? TryParseFixDate(value, out date) : TryParseRfc850(value[..comma], value[(comma + 1)..], now, out date);
    }

    // Sun, 06 Nov 1994 08:49:37 GMT
    private static bool TryParseFixDate(ReadOnlySpan<char> text, out DateTimeOffset date)
    {
        date = default;
        return text.Length == 29 && IsWeekday(text[..3], 3) && text[4] == ' ' && text[7] == ' ' && text[11] == ' ' && text[16] == ' ' && IsGmt(text[25..])
            && TryDigits(text[5..7], out var day) && TryMonth(text[8..11], out var month) && TryDigits(text[12..16], out var year)
            && TryMake(year, month, day, text[17..25], out date);
    }

    // Sunday, 06-Nov-94 08:49:37 GMT
    private static bool TryParseRfc850(ReadOnlySpan<char> weekday, ReadOnlySpan<char> text, DateTimeOffset now, out DateTimeOffset date)
    {
        date = default;
        if (!IsWeekday(weekday, weekday.Length) || weekday.Length < 6 || text.Length != 23 || text[0] != ' ' || text[3] != '-' || text[7] != '-' || text[10] != ' ' || !IsGmt(text[19..])) return false;
        if (!TryDigits(text[1..3], out var day) || !TryMonth(text[4..7], out var month) || !TryDigits(text[8..10], out var year)) return false;
        year += now.Year / 100 * 100;
        // RFC 9110 5.6.7: a date that seems more than 50 years ahead is the most recent past year with those digits.
        if (year > now.Year + FiftyYears) year -= 100;
        return TryMake(year, month, day, text[11..19], out date);
    }

    // Sun Nov  6 08:49:37 1994
    private static bool TryParseAscTime(ReadOnlySpan<char> text, out DateTimeOffset date)
    {
        date = default;
        return text.Length == 24 && IsWeekday(text[..3], 3) && text[3] == ' ' && text[7] == ' ' && text[10] == ' ' && text[19] == ' '
            && TryMonth(text[4..7], out var month) && TryDigits(text[8] == ' ' ? text[9..10] : text[8..10], out var day) && TryDigits(text[20..], out var year)
            && TryMake(year, month, day, text[11..19], out date);
    }

    private static bool TryMake(int year, int month, int day, ReadOnlySpan<char> time, out DateTimeOffset date)
    {
        date = default;
        if (time[2] != ':' || time[5] != ':' || !TryDigits(time[..2], out var hour) || !TryDigits(time[3..5], out var minute) || !TryDigits(time[6..], out var second)) return false;
        if (year is < 1 or > 9999 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 60) return false;
        // A leap second is the last one of its minute.
        date = new DateTimeOffset(year, month, day, hour, minute, Math.Min(second, 59), TimeSpan.Zero);
        return true;
    }

    private static bool IsGmt(ReadOnlySpan<char> text) => text.Equals(" GMT", StringComparison.OrdinalIgnoreCase);

    private static bool IsWeekday(ReadOnlySpan<char> text, int letters)
    {
        foreach (var day in CultureInfo.InvariantCulture.DateTimeFormat.DayNames)
            if (letters <= day.Length && (letters == 3 || letters == day.Length) && text.Equals(day.AsSpan(0, letters), StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private static bool TryMonth(ReadOnlySpan<char> text, out int month)
    {
        var names = CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedMonthNames;
        for (month = 1; month <= 12; month++)
            if (text.Equals(names[month - 1], StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private static bool TryDigits(ReadOnlySpan<char> text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
