using System.Globalization;
using Platform.Dicom;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>What is written into a picture (PS3.18 8.3.5.1.1): whose it is at the top, what was done at the bottom.</summary>
internal sealed record AnnotationText(IReadOnlyList<string> Patient, IReadOnlyList<string> Technique)
{
    private const string NotLatin = "[not in Latin letters]";
    private const int MaxValueLength = 64;

    /// <summary>Reads it from an instance's data set.</summary>
    /// <param name="dataset">Its attributes.</param>
    /// <param name="asked">Which of the two.</param>
    /// <param name="frameIndex">0-based.</param>
    /// <param name="frameCount">Of the instance.</param>
    public static AnnotationText Read(DicomDataset dataset, Annotations asked, int frameIndex, int frameCount) => new(
        asked.HasFlag(Annotations.Patient) ? Lines(
            Name(dataset.GetString(DicomTags.PatientName)),
            Join(Label("ID ", Text(dataset, DicomTags.PatientID))),
            Join(Label("born ", Date(dataset.GetString(DicomTags.PatientBirthDate))), Text(dataset, DicomTags.PatientSex))) : [],
        asked.HasFlag(Annotations.Technique) ? Lines(
            Join(Text(dataset, DicomTags.Modality), Date(dataset.GetString(DicomTags.StudyDate)), Time(dataset.GetString(DicomTags.StudyTime)), Text(dataset, DicomTags.StudyDescription)),
            Join(Label("series ", Text(dataset, DicomTags.SeriesNumber)), Text(dataset, DicomTags.SeriesDescription)),
            Join(Label("image ", Text(dataset, DicomTags.InstanceNumber)), frameCount > 1 ? $"frame {frameIndex + 1}/{frameCount}" : null, Position(dataset), Label("thickness ", Number(dataset, DicomTags.SliceThickness), " mm"))) : []);

    /// <summary>Writes it, below the patient's lines nothing, above the technique's the picture.</summary>
    public void Write(Picture picture)
    {
        TextPainter.Write(picture, Patient, isAtBottom: false);
        TextPainter.Write(picture, Technique, isAtBottom: true);
    }

    /// <summary>PS3.5 6.2.1: up to three ways to write a name; the first one that can be drawn. "DOE^JANE^M" is written "DOE, JANE M".</summary>
    private static string? Name(string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return null;
        foreach (var group in name.Split('='))
        {
            var parts = group.Split('^').Select(static part => part.Trim()).Where(static part => part.Length > 0).ToArray();
            if (parts.Length > 0 && Transliteration.ToAscii(parts.Length == 1 ? parts[0] : $"{parts[0]}, {string.Join(' ', parts[1..])}") is { } written) return Cut(written);
        }
        return $"name {NotLatin}";
    }

    private static string? Text(DicomDataset dataset, DicomTag tag) => dataset.GetString(tag)?.Trim() is { Length: > 0 } text ? Cut(Transliteration.ToAscii(text) ?? NotLatin) : null;

    private static string? Date(string? date) => date?.Trim() is { Length: 8 } text && !text.AsSpan().ContainsAnyExceptInRange('0', '9') ? $"{text[..4]}-{text[4..6]}-{text[6..]}" : null;

    private static string? Time(string? time) => time?.Trim() is { Length: >= 4 } text && !text.AsSpan(0, 4).ContainsAnyExceptInRange('0', '9') ? $"{text[..2]}:{text[2..4]}" : null;

    private static string? Position(DicomDataset dataset)
    {
        var position = dataset.GetDoubles(DicomTags.ImagePositionPatient);
        return position.Length == 3 ? string.Create(CultureInfo.InvariantCulture, $"at {position[0]:0.#}, {position[1]:0.#}, {position[2]:0.#} mm") : null;
    }

    private static string? Number(DicomDataset dataset, DicomTag tag) => dataset.GetDouble(tag) is { } number && double.IsFinite(number) ? number.ToString("0.##", CultureInfo.InvariantCulture) : null;

    private static string? Label(string label, string? value, string unit = "") => value is null ? null : label + value + unit;

    private static string? Join(params string?[] parts) => string.Join("  ", parts.Where(static part => part is not null)) is { Length: > 0 } line ? line : null;

    private static string[] Lines(params string?[] lines) => [.. lines.OfType<string>()];

    private static string Cut(string text) => text.Length <= MaxValueLength ? text : text[..MaxValueLength];
}
