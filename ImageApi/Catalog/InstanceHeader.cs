using Platform.Dicom;
using Platform.Dicom.Pixels;

namespace ImageApi.Catalog;

/// <summary>What the catalog keeps of an instance's header, read once when a file is indexed. Independent of the file it came from.</summary>
internal sealed class InstanceHeader
{
    private InstanceHeader(StudyHeader study, SeriesHeader series) => (Study, Series) = (study, series);

    public StudyHeader Study { get; }
    public SeriesHeader Series { get; }
    public required string SopUid { get; init; }
    public required string SopClassUid { get; init; }
    public required string TransferSyntaxUid { get; init; }
    public int? Number { get; init; }

    /// <summary>How pixels are stored; null when the instance is no image.</summary>
    public PixelDescription? Pixels { get; init; }

    /// <summary>Number of Frames as the header says it; null when it does not.</summary>
    public int? DeclaredFrameCount { get; init; }

    /// <summary>As <see cref="InstanceEntry.PixelOffset"/> and <see cref="InstanceEntry.PixelLength"/>.</summary>
    public long PixelOffset { get; init; } = -1;
    public long PixelLength { get; init; } = -1;

    /// <summary>Three numbers in mm; null when absent or not finite.</summary>
    public double[]? Position { get; init; }

    /// <summary>Six direction cosines; null when absent or not finite.</summary>
    public double[]? Orientation { get; init; }

    /// <summary>The attributes of the level as a DICOM JSON object in UTF-8.</summary>
    public required byte[] Json { get; init; }

    /// <summary>
    /// Reads what the catalog needs. False with a reason (fit for logs and reports: it holds no values) when the file is not an instance that can be named.
    /// </summary>
    public static bool TryRead(DicomFile file, out InstanceHeader header, out string reason)
    {
        header = null!;
        var dataset = file.Dataset;
        var sopUid = dataset.GetString(DicomTags.SOPInstanceUID);
        var sopClass = dataset.GetString(DicomTags.SOPClassUID);
        var studyUid = dataset.GetString(DicomTags.StudyInstanceUID);
        var seriesUid = dataset.GetString(DicomTags.SeriesInstanceUID);
        if (!Uids.IsValid(sopUid)) return Fail("SOP Instance UID is missing or no UID", out reason);
        if (!Uids.IsValid(sopClass)) return Fail("SOP Class UID is missing or no UID", out reason);
        if (!Uids.IsValid(studyUid)) return Fail("Study Instance UID is missing or no UID", out reason);
        if (!Uids.IsValid(seriesUid)) return Fail("Series Instance UID is missing or no UID", out reason);

        var isImage = file.PixelData is not null && PixelDescription.TryRead(dataset, out _);
        _ = PixelDescription.TryRead(dataset, out var pixels);
        var pixelData = file.PixelData;
        header = new InstanceHeader(StudyHeader.Read(dataset, studyUid), SeriesHeader.Read(dataset, seriesUid))
        {
            SopUid = sopUid,
            SopClassUid = sopClass,
            TransferSyntaxUid = file.TransferSyntax.Uid,
            Number = dataset.GetInt32(DicomTags.InstanceNumber),
            Pixels = isImage ? pixels : null,
            DeclaredFrameCount = dataset.GetInt32(DicomTags.NumberOfFrames),
            PixelOffset = pixelData is { } at && !file.TransferSyntax.IsDeflated ? at.Offset : -1,
            PixelLength = pixelData?.Length ?? -1,
            Position = Numbers(dataset, DicomTags.ImagePositionPatient, 3),
            Orientation = Numbers(dataset, DicomTags.ImageOrientationPatient, 6),
            Json = HeaderJson.Merge(HeaderJson.Write(dataset, HeaderJson.InstanceTags), [new("00083002", "UI", [file.TransferSyntax.Uid])]),
        };
        reason = "";
        return true;
    }

    private static double[]? Numbers(DicomDataset dataset, DicomTag tag, int count)
    {
        var numbers = dataset.GetDoubles(tag);
        return numbers.Length == count && Array.TrueForAll(numbers, double.IsFinite) ? numbers : null;
    }

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }
}

/// <summary>The attributes of the study level as one instance tells them.</summary>
internal sealed record StudyHeader
{
    public required string Uid { get; init; }
    public string? Date { get; init; }
    public string? Time { get; init; }
    public string? AccessionNumber { get; init; }
    public string? StudyId { get; init; }
    public string? Description { get; init; }
    public string? ReferringPhysician { get; init; }
    public string? PatientName { get; init; }
    public string? PatientId { get; init; }
    public string? PatientBirthDate { get; init; }
    public string? PatientSex { get; init; }
    public required byte[] Json { get; init; }

    public static StudyHeader Read(DicomDataset dataset, string uid) => new()
    {
        Uid = uid,
        Date = dataset.GetString(DicomTags.StudyDate),
        Time = dataset.GetString(DicomTags.StudyTime),
        AccessionNumber = dataset.GetString(DicomTags.AccessionNumber),
        StudyId = dataset.GetString(DicomTags.StudyID),
        Description = dataset.GetString(DicomTags.StudyDescription),
        ReferringPhysician = dataset.GetString(DicomTags.ReferringPhysicianName),
        PatientName = dataset.GetString(DicomTags.PatientName),
        PatientId = dataset.GetString(DicomTags.PatientID),
        PatientBirthDate = dataset.GetString(DicomTags.PatientBirthDate),
        PatientSex = dataset.GetString(DicomTags.PatientSex),
        Json = HeaderJson.Write(dataset, HeaderJson.StudyTags),
    };
}

/// <summary>The attributes of the series level as one instance tells them.</summary>
internal sealed record SeriesHeader
{
    public required string Uid { get; init; }
    public string? Modality { get; init; }
    public int? Number { get; init; }
    public string? Description { get; init; }
    public string? BodyPart { get; init; }
    public string? Laterality { get; init; }
    public string? Station { get; init; }
    public string? Institution { get; init; }
    public string? Manufacturer { get; init; }
    public string? ManufacturerModel { get; init; }
    public string? PerformingPhysician { get; init; }
    public string? Date { get; init; }
    public string? Time { get; init; }
    public string? StepStartDate { get; init; }
    public string? StepStartTime { get; init; }
    public required byte[] Json { get; init; }

    public static SeriesHeader Read(DicomDataset dataset, string uid) => new()
    {
        Uid = uid,
        Modality = dataset.GetString(DicomTags.Modality),
        Number = dataset.GetInt32(DicomTags.SeriesNumber),
        Description = dataset.GetString(DicomTags.SeriesDescription),
        BodyPart = dataset.GetString(DicomTags.BodyPartExamined),
        Laterality = dataset.GetString(DicomTags.Laterality),
        Station = dataset.GetString(DicomTags.StationName),
        Institution = dataset.GetString(DicomTags.InstitutionName),
        Manufacturer = dataset.GetString(DicomTags.Manufacturer),
        ManufacturerModel = dataset.GetString(DicomTags.ManufacturerModelName),
        PerformingPhysician = dataset.GetString(DicomTags.PerformingPhysicianName),
        Date = dataset.GetString(DicomTags.SeriesDate),
        Time = dataset.GetString(DicomTags.SeriesTime),
        StepStartDate = dataset.GetString(DicomTags.PerformedProcedureStepStartDate),
        StepStartTime = dataset.GetString(DicomTags.PerformedProcedureStepStartTime),
        Json = HeaderJson.Write(dataset, HeaderJson.SeriesTags),
    };
}
