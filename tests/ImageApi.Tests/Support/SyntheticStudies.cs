using Platform.Dicom;
using Platform.Tests.Shared;

namespace ImageApi.Tests.Support;

/// <summary>Two small studies: slices, multi-frame objects in several transfer syntaxes, and a report.</summary>
internal static class SyntheticStudies
{
    public const string Study = "2.25.1000";
    public const string Slices = "2.25.1000.1";
    public const string MultiFrame = "2.25.1000.2";
    public const string Reports = "2.25.1000.3";
    public const string OtherStudy = "2.25.2000";
    public const string OtherSeries = "2.25.2000.1";
    public const int SliceCount = 5;

    public static DicomBuilder Slice(int number) => new DicomBuilder { InstanceUid = $"{Slices}.{number}", InstanceNumber = number }
        .With(DicomTags.PatientName, "DOE^JANE")
        .With(DicomTags.ReferringPhysicianName, "HOUSE^GREGORY")
        .With(DicomTags.SeriesDescription, "slices");

    public static DicomBuilder Native => Multi(1, DicomTransferSyntax.ExplicitVrLittleEndian, 7);
    public static DicomBuilder BigEndian => Multi(2, DicomTransferSyntax.ExplicitVrBigEndian, 3);
    public static DicomBuilder Deflated => Multi(3, DicomTransferSyntax.DeflatedExplicitVrLittleEndian, 3);
    public static DicomBuilder Rle => Multi(4, DicomTransferSyntax.RleLossless, 4);
    public static DicomBuilder JpegLs => Multi(5, DicomTransferSyntax.JpegLsLossless, 6);
    public static DicomBuilder Implicit => Multi(6, DicomTransferSyntax.ImplicitVrLittleEndian, 2);

    public static DicomBuilder Report => new DicomBuilder { SeriesUid = Reports, InstanceUid = $"{Reports}.1", Modality = "SR", SopClassUid = "1.2.840.10008.5.1.4.1.1.88.11" }
        .With(DicomTags.SeriesNumber, 3L)
        .With(DicomTags.PatientName, "DOE^JANE")
        .With(DicomTags.ReferringPhysicianName, "HOUSE^GREGORY")
        .With(dataset =>
        {
            foreach (var tag in new[] { DicomTags.PixelData, DicomTags.Rows, DicomTags.Columns, DicomTags.BitsAllocated, DicomTags.SamplesPerPixel, DicomTags.PhotometricInterpretation })
                dataset.Remove(tag);
            // Bulk data on two levels: a private value and one in a sequence.
            dataset.Set(new DicomTag(0x0009, 0x0010), DicomVr.LO, "PLATFORM TEST");
            dataset.Set(new DicomTag(0x0009, 0x1010), DicomVr.OB, Bulk(2000));
            dataset.Set(DicomTags.ContentSequence, new DicomDataset().Set(DicomTags.TextValue, "finding"),
                new DicomDataset().Set(new DicomTag(0x0009, 0x0010), DicomVr.LO, "PLATFORM TEST").Set(new DicomTag(0x0009, 0x1020), DicomVr.OW, Bulk(1000)));
        });

    public static DicomBuilder Other => new DicomBuilder { StudyUid = OtherStudy, SeriesUid = OtherSeries, InstanceUid = $"{OtherSeries}.1", Modality = "MR" }
        .With(DicomTags.PatientName, "MÜLLER^HANS")
        .With(DicomTags.PatientID, "P&Q=1")
        .With(DicomTags.StudyDate, "20250110")
        .With(DicomTags.StudyTime, "093000")
        .With(DicomTags.AccessionNumber, "B,2")
        .With(DicomTags.StudyDescription, "BRAIN")
        .With(DicomTags.StudyID, "22")
        .With(DicomTags.Manufacturer, "ACME Imaging")
        .With(DicomTags.ManufacturerModelName, "M1")
        .With(DicomTags.InstitutionName, "St. Elsewhere")
        .With(DicomTags.StationName, "MR1")
        .With(DicomTags.PerformingPhysicianName, "STRANGE^STEPHEN")
        .With(DicomTags.Laterality, "L")
        .With(DicomTags.BodyPartExamined, "HEAD")
        .With(DicomTags.SeriesDate, "20250110")
        .With(DicomTags.SeriesTime, "093500")
        .With(dataset => dataset.Set(DicomTags.RequestAttributesSequence,
            new DicomDataset().Set(DicomTags.ScheduledProcedureStepID, "SPS1").Set(DicomTags.RequestedProcedureID, "RP1")))
        .With(DicomTags.PerformedProcedureStepStartDate, "20250110")
        .With(DicomTags.PerformedProcedureStepStartTime, "0931");

    public static byte[] Bulk(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];

    /// <summary>Writes everything into two folders, <c>first</c> and <c>second</c>, one study each.</summary>
    public static void Fill(string folder)
    {
        var first = Directory.CreateDirectory(Path.Combine(folder, "first")).FullName;
        for (var number = 1; number <= SliceCount; number++)
            Slice(number).Save(Path.Combine(first, $"slice{number}.dcm"));
        foreach (var (name, builder) in new[] { ("native", Native), ("big", BigEndian), ("deflated", Deflated), ("rle", Rle), ("jls", JpegLs), ("implicit", Implicit), ("report", Report) })
            builder.Save(Path.Combine(first, name + ".dcm"));
        Other.Save(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "second")).FullName, "other.dcm"));
    }

    public static string SeriesPath(string series = Slices) => $"/dicomweb/studies/{(series == OtherSeries ? OtherStudy : Study)}/series/{series}";

    public static string UrlOf(DicomBuilder builder) => $"/dicomweb/studies/{builder.StudyUid}/series/{builder.SeriesUid}/instances/{builder.InstanceUid}";

    private static DicomBuilder Multi(int number, DicomTransferSyntax syntax, int frames) => new DicomBuilder
    {
        SeriesUid = MultiFrame,
        InstanceUid = $"{MultiFrame}.{number}",
        InstanceNumber = number,
        Frames = frames,
        TransferSyntax = syntax,
        SopClassUid = "1.2.840.10008.5.1.4.1.1.7.3",
    }.With(DicomTags.SeriesNumber, 2L).With(DicomTags.PatientName, "DOE^JANE").With(DicomTags.ReferringPhysicianName, "HOUSE^GREGORY");
}
