using System.Text.Json;
using System.Text.Json.Serialization;
using Web.Dicomweb;

namespace Web.Viewer;

/// <summary>
/// What the viewer's script finds in the page (<c>platform-config</c>), so that it starts with the first manifest and asks no
/// questions before. Series are in the order of the panel, those with pictures first.
/// </summary>
/// <param name="ImageApi">Public address of ImageApi, without a slash at the end.</param>
/// <param name="Study">Study Instance UID.</param>
/// <param name="FirstSeries">Series Instance UID to open, or null where there are no pictures.</param>
/// <param name="Series">Every series of the study.</param>
public sealed record ViewerConfig(string ImageApi, string Study, string? FirstSeries, IReadOnlyList<ViewerSeries> Series)
{
    public static ViewerConfig From(string imageApi, StudyWithSeries found) => new(
        imageApi, found.Study.StudyInstanceUid, found.FirstImages?.SeriesInstanceUid,
        [
            .. found.Series.Select(series => new ViewerSeries(
                series.SeriesInstanceUid, series.Modality, series.Number, series.Description, series.InstanceCount, series.HasImages,
                ManifestAddress(imageApi, series.SeriesInstanceUid), PreviewAddress(imageApi, series), ThumbnailAddress(imageApi, found.Study.StudyInstanceUid, series))),
        ]);

    /// <summary>JSON that can stand inside a script element: <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c> are escaped.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ViewerJson.Default.ViewerConfig);

    public string? FirstManifest => FirstSeries is { } series ? ManifestAddress(ImageApi, series) : null;

    /// <summary>Preview stream of the series to open, where it is likely to have one.</summary>
    public string? FirstPreview => Series.FirstOrDefault(series => series.Uid == FirstSeries)?.Preview;

    /// <summary>
    /// A small picture of a series, the same address wherever it is shown: a browser fetches it once. Null where the series has no pictures.
    /// </summary>
    public static string? ThumbnailAddress(string imageApi, string studyInstanceUid, SeriesSummary series) =>
        series.HasImages ? $"{imageApi}/dicomweb/studies/{studyInstanceUid}/series/{series.SeriesInstanceUid}/thumbnail?viewport=128,128" : null;

    // Stacks of slices have previews and open in their middle, where the stream without a version or a frame begins. Asked for a guess, it would be a
    // request too many.
    private static string? PreviewAddress(string imageApi, SeriesSummary series) =>
        series is { Modality: "CT" or "MR" or "PT" or "NM", InstanceCount: > 4 } ? $"{imageApi}/api/series/{series.SeriesInstanceUid}/preview?resolution=1/4" : null;

    private static string ManifestAddress(string imageApi, string seriesInstanceUid) => $"{imageApi}/api/series/{seriesInstanceUid}/manifest";
}

/// <summary>One series of a <see cref="ViewerConfig"/>.</summary>
public sealed record ViewerSeries(
    string Uid, string? Modality, int? Number, string? Description, int? Instances, bool HasImages, string Manifest, string? Preview, string? Thumbnail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ViewerConfig))]
internal sealed partial class ViewerJson : JsonSerializerContext;
