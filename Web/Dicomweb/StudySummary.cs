namespace Web.Dicomweb;

/// <summary>A study as the list shows it.</summary>
public sealed record StudySummary(
    string StudyInstanceUid, PersonName PatientName, string? PatientId, string? PatientSex, DateOnly? PatientBirthDate,
    DateOnly? StudyDate, TimeOnly? StudyTime, string? AccessionNumber, string? Description,
    IReadOnlyList<string> Modalities, int? SeriesCount, int? InstanceCount)
{
    /// <summary>Null where the answer's study has no UID: there is nothing to open.</summary>
    internal static StudySummary? From(DicomJsonObject study) => study.GetString("0020000D") is not { } uid ? null : new(
        uid, study.GetPersonName("00100010"), study.GetString("00100020"), study.GetString("00100040"), study.GetDate("00100030"),
        study.GetDate("00080020"), study.GetTime("00080030"), study.GetString("00080050"), study.GetString("00081030"),
        study.GetStrings("00080061"), study.GetInt32("00201206"), study.GetInt32("00201208"));
}
