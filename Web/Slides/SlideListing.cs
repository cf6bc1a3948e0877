using System.Globalization;
using Web.Dicomweb;

namespace Web.Slides;

/// <summary>What the page shows: the list, and the slide that its address names.</summary>
public sealed record SlideListing
{
    public IReadOnlyList<SlideSummary> Slides { get; init; } = [];

    /// <summary>ImageApi has more than it listed.</summary>
    public bool IsCut { get; init; }

    /// <summary>The one to show: the series asked for, else the first of the study asked for, else the first of all.</summary>
    public SlideSummary? Chosen { get; init; }

    /// <summary>The address names one that is not there.</summary>
    public bool IsChosenAbsent { get; init; }
    public bool IsUnavailable { get; init; }
    public bool TimedOut { get; init; }

    internal static async Task<SlideListing> ReadAsync(SlidesClient client, string? study, string? series, CancellationToken cancellationToken)
    {
        try
        {
            var list = await client.ListAsync(cancellationToken);
            var (hasSeries, hasStudy) = (!string.IsNullOrEmpty(series), !string.IsNullOrEmpty(study));
            var chosen = list.Slides.FirstOrDefault(slide => (!hasSeries || slide.Series == series) && (!hasStudy || slide.Study == study));
            return new SlideListing { Slides = list.Slides, IsCut = list.IsCut, Chosen = chosen, IsChosenAbsent = chosen is null && (hasSeries || hasStudy) };
        }
        catch (ImageApiUnavailableException exception)
        {
            return new SlideListing { IsUnavailable = true, TimedOut = exception.TimedOut };
        }
    }

    public static string AddressOf(SlideSummary slide) => $"/slides?series={Uri.EscapeDataString(slide.Series)}";

    public static string NameOf(SlideSummary slide) => slide.Description ?? slide.StudyDescription ?? (slide.IsSlide ? "Slide" : "Image");

    /// <summary>What is known of it, in one line: whose, when, what.</summary>
    public static string About(SlideSummary slide) => string.Join(" · ", new[]
    {
        slide.PatientName is null ? null : new PersonName(slide.PatientName, null).ToString(),
        DateTime.TryParseExact(slide.StudyDate, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null,
        slide.IsSlide || slide.Instances is not > 1 ? null : string.Create(CultureInfo.InvariantCulture, $"{slide.Instances} images"),
    }.Where(static part => !string.IsNullOrEmpty(part)));
}
