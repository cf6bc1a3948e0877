using System.Globalization;
using System.Text.RegularExpressions;

namespace Web.Studies;

public enum StudyPeriod { Any, Today, Week, Month, Range }

public enum StudySort { Date, Name, PatientId, Modality, Description, Accession }

/// <summary>
/// What the study list shows: the words looked for, the filters, the order, the page. Everything but <see cref="Text"/> may stand
/// in an address; the text can name a patient and goes there only sealed (<see cref="SearchSeal"/>).
/// </summary>
public sealed partial record StudyFilter
{
    public const int PageSize = 50;
    public const int MaxTextLength = 128;
    private const int MaxPage = 100_000;

    public static readonly StudyFilter None = new();

    public string Text { get; init; } = "";
    public string? Modality { get; init; }
    public StudyPeriod Period { get; init; }
    public DateOnly? From { get; init; }
    public DateOnly? To { get; init; }
    public StudySort Sort { get; init; }

    /// <summary>Against the order that comes natural to the column: newest first for dates, A to Z for the rest.</summary>
    public bool Reversed { get; init; }

    /// <summary>1-based.</summary>
    public int Page { get; init; } = 1;

    public bool IsFiltered => Text.Length > 0 || Modality is not null || Period != StudyPeriod.Any;
    public bool Descending => (Sort == StudySort.Date) != Reversed;

    /// <summary>The order as the form and the address name it.</summary>
    public string SortName => Name(Sort) + (Reversed ? "-reversed" : "");

    /// <summary>Reads a form or a query; what it does not understand counts as not given.</summary>
    internal static StudyFilter Read(Func<string, string?> value, SearchSeal seal)
    {
        var sort = (value("sort") ?? "").Split('-', 2);
        var filter = new StudyFilter
        {
            Text = Clean(value("text")) ?? Clean(seal.Open(value("s"))) ?? "",
            Modality = value("modality") is { } modality && ModalityPattern.IsMatch(modality) ? modality : null,
            Period = ReadName<StudyPeriod>(value("period")),
            From = ReadDate(value("from")),
            To = ReadDate(value("to")),
            Sort = ReadName<StudySort>(sort[0]),
            Reversed = sort is [_, "reversed"],
            Page = int.TryParse(value("page"), NumberStyles.None, CultureInfo.InvariantCulture, out var page) ? Math.Clamp(page, 1, MaxPage) : 1,
        };
        if (filter.Period != StudyPeriod.Range) return filter with { From = null, To = null };
        return filter switch
        {
            { From: null, To: null } => filter with { Period = StudyPeriod.Any },
            { From: { } from, To: { } to } when to < from => filter with { From = to, To = from },
            _ => filter,
        };
    }

    /// <summary>First and last day, either of them null for open.</summary>
    public (DateOnly? First, DateOnly? Last) Days(DateOnly today) => Period switch
    {
        StudyPeriod.Today => (today, today),
        StudyPeriod.Week => (today.AddDays(-6), today),
        StudyPeriod.Month => (today.AddDays(-29), today),
        StudyPeriod.Range => (From, To),
        _ => (null, null),
    };

    /// <summary>The list's address for this filter, without the host.</summary>
    internal string ToAddress(SearchSeal seal)
    {
        var parts = new List<string>(6);
        if (Text.Length > 0) parts.Add("s=" + seal.Close(Text));
        if (Modality is not null) parts.Add("modality=" + Uri.EscapeDataString(Modality));
        if (Period != StudyPeriod.Any) parts.Add("period=" + Name(Period));
        if (From is { } from) parts.Add("from=" + Iso(from));
        if (To is { } to) parts.Add("to=" + Iso(to));
        if (Sort != StudySort.Date || Reversed) parts.Add("sort=" + SortName);
        if (Page > 1) parts.Add(string.Create(CultureInfo.InvariantCulture, $"page={Page}"));
        return parts.Count == 0 ? "/" : "/?" + string.Join('&', parts);
    }

    public static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    public static string Iso(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static T ReadName<T>(string? name) where T : struct, Enum =>
        Enum.GetValues<T>().FirstOrDefault(value => Name(value) == name);

    private static DateOnly? ReadDate(string? value) =>
        DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    private static string? Clean(string? text)
    {
        if (text is null) return null;
        var clean = new string([.. text.Trim().Where(static c => !char.IsControl(c) && c != '\\')]);
        return clean.Length > MaxTextLength ? clean[..MaxTextLength] : clean;
    }

    // PS3.5 6.2: CS is up to 16 of upper case letters, digits, space and underscore.
    [GeneratedRegex("^[A-Z0-9_ ]{1,16}$")]
    private static partial Regex ModalityPattern { get; }
}
