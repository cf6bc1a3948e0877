using System.Text.Json.Serialization;

namespace ImageApi.Cases;

/// <summary>A study as the plain REST API tells it: <c>GET /api/dicom/{caseId}</c>.</summary>
/// <param name="CaseId">As asked for.</param>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Files">Every file of the study, series by series, in display order; fetch each at <c>/api/dicom/{caseId}/files/{name}</c>.</param>
/// <param name="Series">By series number.</param>
internal sealed record Case(string CaseId, string Study, IReadOnlyList<string> Files, IReadOnlyList<CaseSeries> Series);

/// <param name="Uid">Series Instance UID.</param>
/// <param name="Version">16 hexadecimal digits of the series' content.</param>
/// <param name="Modality">Modality.</param>
/// <param name="Number">Series Number.</param>
/// <param name="Description">Series Description.</param>
/// <param name="Window">The stored window of the first image, where there is one.</param>
/// <param name="Files">In display order.</param>
internal sealed record CaseSeries(string Uid, string Version, string? Modality, int? Number, string? Description, CaseWindow? Window, IReadOnlyList<string> Files);

/// <summary>On rescaled values: Hounsfield units for CT.</summary>
internal sealed record CaseWindow(double Center, double Width);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Case))]
internal sealed partial class CaseJson : JsonSerializerContext;
