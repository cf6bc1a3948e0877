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
                ManifestAddress(imageApi, series.SeriesInstanceUid))),
        ]);

    /// <summary>JSON that can stand inside a script element: <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c> are escaped.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ViewerJson.Default.ViewerConfig);

    public string? FirstManifest => FirstSeries is { } series ? ManifestAddress(ImageApi, series) : null;

    private static string ManifestAddress(string imageApi, string seriesInstanceUid) => $"{imageApi}/api/series/{seriesInstanceUid}/manifest";
}

/// <summary>One series of a <see cref="ViewerConfig"/>.</summary>
public sealed record ViewerSeries(
    string Uid, string? Modality, int? Number, string? Description, int? Instances, bool HasImages, string Manifest);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ViewerConfig))]
internal sealed partial class ViewerJson : JsonSerializerContext;
