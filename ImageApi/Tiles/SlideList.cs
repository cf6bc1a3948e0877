using System.Text.Json;
using ImageApi.Catalog;

namespace ImageApi.Tiles;

/// <summary>Series to look at with deep zoom, newest studies first.</summary>
/// <param name="Slides">At most <see cref="SlideFinder.MaxSlides"/>.</param>
/// <param name="IsCut">There are more.</param>
internal sealed record SlideList(IReadOnlyList<ListedSlide> Slides, bool IsCut);

/// <summary>A whole slide, or a series of large frames.</summary>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Series">Series Instance UID.</param>
/// <param name="IsSlide">Modality SM; others have a frame of <see cref="SlideFinder.LargeSide"/> pixels or more a side.</param>
/// <param name="Modality">Modality.</param>
/// <param name="Description">Series Description.</param>
/// <param name="StudyDescription">Study Description.</param>
/// <param name="StudyDate">yyyyMMdd.</param>
/// <param name="PatientName">Alphabetic.</param>
/// <param name="PatientId">Patient ID.</param>
/// <param name="Instances">In the series; absent where an origin does not tell.</param>
internal sealed record ListedSlide(string Study, string Series, bool IsSlide, string? Modality, string? Description, string? StudyDescription, string? StudyDate, string? PatientName, string? PatientId, int? Instances);

/// <summary>Finds what is worth deep zoom: slides of all origins; large frames of those that are indexed here.</summary>
internal sealed class SlideFinder(ICatalog catalog, SqliteCatalog index)
{
    public const int MaxSlides = 500, LargeSide = 2048;
    private const string Modality = "00080060", SeriesDescription = "0008103E", StudyDescription = "00081030", StudyDate = "00080020", PatientName = "00100010", PatientId = "00100020", InstanceCount = "00201209";

    // Looking through all instances costs a millisecond per ten thousand: once per change of the index.
    private Found? _large;

    public async Task<SlideList> FindAsync(CancellationToken cancellationToken)
    {
        var slides = await catalog.QueryAsync(new CatalogQuery(CatalogLevel.Series) { Conditions = [new CatalogCondition(Modality, CatalogMatch.Exact, "SM")], Limit = MaxSlides }, cancellationToken);
        var found = slides.Rows.Select(static row => Read(row, isSlide: true))
            .Concat(FindLarge(cancellationToken).Select(static row => Read(row, isSlide: false)))
            .DistinctBy(static slide => slide.Series)
            .OrderByDescending(static slide => slide.StudyDate, StringComparer.Ordinal).ThenBy(static slide => slide.Study, StringComparer.Ordinal).ThenBy(static slide => slide.Series, StringComparer.Ordinal)
            .ToList();
        return new SlideList([.. found.Take(MaxSlides)], IsCut: found.Count > MaxSlides || slides.Total > slides.Rows.Count);
    }

    private IReadOnlyList<CatalogRow> FindLarge(CancellationToken cancellationToken)
    {
        var generation = index.Generation;
        if (_large is { } known && known.Generation == generation) return known.Rows;
        var rows = index.Read(reader =>
        {
            var found = new List<CatalogRow>();
            var select = reader.Prepare("""
                SELECT studies.uid, studies.json, series.uid, series.json FROM series JOIN studies ON studies.id=series.study_id
                WHERE series.id IN (SELECT DISTINCT series_id FROM instances WHERE rows>=? OR columns>=?) AND coalesce(series.modality, '')<>'SM'
                ORDER BY studies.date DESC, studies.uid, series.uid LIMIT ?
                """).Bind((long)LargeSide).Bind((long)LargeSide).Bind(MaxSlides + 1L);
            while (select.Step())
            {
                found.Add(new CatalogRow
                {
                    StudyUid = select.Text(0),
                    StudyJson = System.Text.Encoding.UTF8.GetBytes(select.Text(1)),
                    SeriesUid = select.Text(2),
                    SeriesJson = System.Text.Encoding.UTF8.GetBytes(select.Text(3)),
                });
            }
            return found;
        }, cancellationToken);
        _large = new Found(generation, rows);
        return rows;
    }

    private static ListedSlide Read(CatalogRow row, bool isSlide)
    {
        using var study = JsonDocument.Parse(row.StudyJson);
        using var series = JsonDocument.Parse(row.SeriesJson);
        return new ListedSlide(row.StudyUid, row.SeriesUid, isSlide, Text(series, Modality), Text(series, SeriesDescription), Text(study, StudyDescription), Text(study, StudyDate),
            Value(study, PatientName) is { ValueKind: JsonValueKind.Object } name && name.TryGetProperty("Alphabetic", out var alphabetic) ? alphabetic.GetString() : null,
            Text(study, PatientId), Value(series, InstanceCount) is { ValueKind: JsonValueKind.Number } count && count.TryGetInt32(out var number) ? number : null);
    }

    private static string? Text(JsonDocument json, string tag) => Value(json, tag) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement? Value(JsonDocument json, string tag) =>
        json.RootElement.TryGetProperty(tag, out var element) && element.TryGetProperty("Value", out var values) && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() > 0 ? values[0] : null;

    private sealed record Found(long Generation, IReadOnlyList<CatalogRow> Rows);
}
