namespace Web.Dicomweb;

/// <summary>A series as the viewer's panel lists it.</summary>
public sealed record SeriesSummary(
    string SeriesInstanceUid, string? Modality, int? Number, string? Description, int? InstanceCount, string? StudyInstanceUid = null)
{
    // Modalities (PS3.3 C.7.3.1.1.1) whose instances are no pictures of their own, or only lie over another series' pictures.
    private static readonly HashSet<string> WithoutPictures =
        ["SR", "PR", "KO", "DOC", "SEG", "RTSTRUCT", "RTPLAN", "RTRECORD", "REG", "FID", "PLAN", "AU", "ECG", "EPS", "HD", "SMR", "RWV", "M3D", "ASMT", "STAIN"];

    /// <summary>Whether the series is something to scroll through, told from its modality.</summary>
    public bool HasImages => Modality is null || !WithoutPictures.Contains(Modality);

    internal static SeriesSummary? From(DicomJsonObject series) => series.GetString("0020000E") is not { } uid ? null : new(
        uid, series.GetString("00080060"), series.GetInt32("00200011"), series.GetString("0008103E"), series.GetInt32("00201209"),
        series.GetString("0020000D"));
}
