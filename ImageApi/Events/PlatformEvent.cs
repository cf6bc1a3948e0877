using System.Text.Json.Serialization;

namespace ImageApi.Events;

/// <summary>Something that listeners are told. Holds UIDs and versions, and nothing else about a patient.</summary>
/// <param name="Name">On the wire.</param>
internal abstract record PlatformEvent([property: JsonIgnore] string Name);

/// <summary>Instances of a study arrived, changed or went. Told at most once per study and second.</summary>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Series">Series Instance UIDs of what changed since the last such event.</param>
/// <param name="Instances">Instances that the study has now; 0 when it is gone.</param>
internal sealed record StudyEvent(string Study, IReadOnlyList<string> Series, long Instances) : PlatformEvent("study");

/// <summary>Every frame of a series has its progressive form kept: its preview is one quick answer.</summary>
/// <param name="Series">Series Instance UID.</param>
/// <param name="Version">Of the series, as its manifest names it.</param>
internal sealed record PreviewEvent(string Series, string Version) : PlatformEvent("preview");

/// <summary>The thumbnail of a series that arrived.</summary>
/// <param name="Series">Series Instance UID.</param>
/// <param name="Version">Of the series, as its manifest names it.</param>
/// <param name="DataUrl">The picture, at most 64 px a side, as a <c>data:</c> URL of less than 4 KB.</param>
internal sealed record ThumbnailEvent(string Series, string Version, string DataUrl) : PlatformEvent("thumbnail");

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StudyEvent))]
[JsonSerializable(typeof(PreviewEvent))]
[JsonSerializable(typeof(ThumbnailEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
