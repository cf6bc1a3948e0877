using System.Globalization;
using Platform.Dicom;

namespace Web.Tests.Support;

/// <summary>
/// Studies made for the tests. One has a CT series whose every slice is known pixel by pixel (<see cref="StoredValue"/>); the others
/// are small and fill the list.
/// </summary>
public static class SyntheticStudies
{
    public const int SliceCount = 40;
    public const int Rows = 128;
    public const int Columns = 96;
    public const int RescaleIntercept = -1024;

    /// <summary>Studies beside the CT; with it there is more than one page of the list.</summary>
    public const int FillerCount = 60;

    public const string CtStudy = "1.2.826.0.1.3680043.10.1.777.1";
    public const string CtSeries = CtStudy + ".2";
    public const string CtPatientName = "TESTHEAD^CASEY";
    public const string CtPatientId = "STACK-0001";

    /// <summary>A second series of <see cref="CtStudy"/>, with half the slices.</summary>
    public const string ScoutSeries = CtStudy + ".3";

    /// <summary>The series that holds a slide.</summary>
    public const string SlideSeries = "1.2.826.0.1.3680043.10.1.779.60.2";

    private static readonly string[] Families = ["ALDERS", "BRANDT", "CORTEZ", "DUBOIS", "EKLUND", "FARROW"];
    private static readonly (string Modality, string SopClass, string Description)[] Kinds =
    [
        ("CT", "1.2.840.10008.5.1.4.1.1.2", "CT abdomen"), ("MR", "1.2.840.10008.5.1.4.1.1.4", "MR knee left"),
        ("US", "1.2.840.10008.5.1.4.1.1.6.1", "US thyroid"),
    ];

    /// <summary>
    /// The stored pixel of a slice (0-based, in display order): a grey level that rises by 40 with the slice, a square in the upper
    /// left corner that is brighter, and a ramp along the bottom row.
    /// </summary>
    public static ushort StoredValue(int slice, int row, int column) => (ushort)(row switch
    {
        < 32 when column < 32 => 3000,
        Rows - 1 => column * 16,
        _ => 200 + 40 * slice,
    });

    /// <summary>Writes every study below <paramref name="folder"/>.</summary>
    public static void WriteAll(string folder)
    {
        for (var slice = 0; slice < SliceCount; slice++) Write(folder, $"ct/{slice:D3}.dcm", CtSlice(CtSeries, 2, "axial 1.0 mm", slice));
        for (var slice = 0; slice < SliceCount / 2; slice++) Write(folder, $"ct/scout-{slice:D3}.dcm", CtSlice(ScoutSeries, 3, "axial 2.0 mm", slice));
        for (var i = 0; i < FillerCount; i++) Write(folder, $"filler/{i:D3}.dcm", Filler(i));
        Write(folder, "filler/slide.dcm", Slide());
    }

    /// <summary>One slice of a study that is stored nowhere yet, as the bytes of a file to import.</summary>
    public static byte[] NewInstance(int number)
    {
        using var stream = new MemoryStream();
        var dataset = CtSlice("1.2.826.0.1.3680043.10.1.778.2", 1, "imported", number)
            .Set(DicomTags.StudyInstanceUID, "1.2.826.0.1.3680043.10.1.778")
            .Set(DicomTags.PatientName, "DROPPED^DANA")
            .Set(DicomTags.PatientID, "DROP-1");
        using var file = new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian);
        DicomWriter.Write(stream, file);
        return stream.ToArray();
    }

    private static DicomDataset CtSlice(string series, int seriesNumber, string description, int slice) =>
        WithPixels(Study(CtStudy, CtPatientName, CtPatientId, "20261118", "CT head, test series", "CT", "1.2.840.10008.5.1.4.1.1.2"), slice)
            .Set(DicomTags.SeriesInstanceUID, series)
            .Set(DicomTags.SOPInstanceUID, Text($"{series}.{slice + 1}"))
            .Set(DicomTags.SeriesNumber, seriesNumber)
            .Set(DicomTags.SeriesDescription, description)
            .Set(DicomTags.FrameOfReferenceUID, CtStudy + ".9")
            // Named against the order of the slices: only their positions tell it.
            .Set(DicomTags.InstanceNumber, SliceCount - slice)
            .Set(DicomTags.ImagePositionPatient, -48.0, -64.0, slice * 1.0)
            .Set(DicomTags.ImageOrientationPatient, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
            .Set(DicomTags.PixelSpacing, 1.0, 1.0)
            .Set(DicomTags.SliceThickness, 1.0);

    private static DicomDataset Filler(int i)
    {
        var (modality, sopClass, description) = Kinds[i % Kinds.Length];
        var uid = Text($"1.2.826.0.1.3680043.10.1.779.{i + 1}");
        var date = new DateOnly(2026, 1, 10).AddDays(i * 5).ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        return WithPixels(Study(uid, $"{Families[i % Families.Length]}^P{i:D2}", $"FILL-{i:D4}", date, description, modality, sopClass), 0)
            .Set(DicomTags.AccessionNumber, $"ACC{i:D5}")
            .Set(DicomTags.SeriesInstanceUID, uid + ".1")
            .Set(DicomTags.SOPInstanceUID, uid + ".1.1")
            .Set(DicomTags.SeriesNumber, 1)
            .Set(DicomTags.InstanceNumber, 1);
    }

    /// <summary>A slide of 1000 x 700 pixels, 0.5 µm each: blue, with a red square of 300 pixels in its middle. A second series of the last filler.</summary>
    private static DicomDataset Slide()
    {
        const int Tile = 256, Across = 4, Down = 3;
        var pixels = new byte[3 * Tile * Tile * Across * Down];
        for (var frame = 0; frame < Across * Down; frame++)
            for (var i = 0; i < Tile * Tile; i++)
            {
                var (x, y) = (frame % Across * Tile + i % Tile, frame / Across * Tile + i / Tile);
                pixels[3 * (frame * Tile * Tile + i) + (x is >= 350 and < 650 && y is >= 200 and < 500 ? 0 : 2)] = 255;
            }

        return Filler(FillerCount - 1)
            .Set(DicomTags.SOPClassUID, "1.2.840.10008.5.1.4.1.1.77.1.6")
            .Set(DicomTags.Modality, "SM")
            .Set(DicomTags.SeriesDescription, "Slide for tests")
            .Set(DicomTags.ImageType, "ORIGINAL", "PRIMARY", "VOLUME", "NONE")
            .Set(DicomTags.SeriesInstanceUID, SlideSeries)
            .Set(DicomTags.SOPInstanceUID, SlideSeries + ".1")
            .Set(DicomTags.SeriesNumber, 2)
            .Set(DicomTags.DimensionOrganizationType, "TILED_FULL")
            .Set(DicomTags.TotalPixelMatrixColumns, 1000)
            .Set(DicomTags.TotalPixelMatrixRows, 700)
            .Set(DicomTags.SharedFunctionalGroupsSequence, new DicomDataset().Set(DicomTags.PixelMeasuresSequence, new DicomDataset().Set(DicomTags.PixelSpacing, 0.0005, 0.0005)))
            .Set(DicomTags.NumberOfFrames, Across * Down)
            .Set(DicomTags.SamplesPerPixel, 3)
            .Set(DicomTags.PlanarConfiguration, 0)
            .Set(DicomTags.PhotometricInterpretation, "RGB")
            .Set(DicomTags.Rows, Tile)
            .Set(DicomTags.Columns, Tile)
            .Set(DicomTags.BitsAllocated, 8)
            .Set(DicomTags.BitsStored, 8)
            .Set(DicomTags.HighBit, 7)
            .Set(DicomTags.PixelData, DicomVr.OB, pixels);
    }

    private static DicomDataset Study(string uid, string name, string id, string date, string description, string modality, string sopClass) => new DicomDataset()
        .Set(DicomTags.SOPClassUID, sopClass)
        .Set(DicomTags.StudyInstanceUID, uid)
        .Set(DicomTags.PatientName, name)
        .Set(DicomTags.PatientID, id)
        .Set(DicomTags.PatientSex, "O")
        .Set(DicomTags.PatientBirthDate, "19700101")
        .Set(DicomTags.StudyDate, date)
        .Set(DicomTags.StudyTime, "101500")
        .Set(DicomTags.StudyDescription, description)
        .Set(DicomTags.Modality, modality);

    private static DicomDataset WithPixels(DicomDataset dataset, int slice)
    {
        var pixels = new byte[Rows * Columns * 2];
        for (var row = 0; row < Rows; row++)
            for (var column = 0; column < Columns; column++)
            {
                BitConverter.TryWriteBytes(pixels.AsSpan((row * Columns + column) * 2), StoredValue(slice, row, column));
            }

        return dataset
            .Set(DicomTags.SamplesPerPixel, 1)
            .Set(DicomTags.PhotometricInterpretation, "MONOCHROME2")
            .Set(DicomTags.Rows, Rows)
            .Set(DicomTags.Columns, Columns)
            .Set(DicomTags.BitsAllocated, 16)
            .Set(DicomTags.BitsStored, 12)
            .Set(DicomTags.HighBit, 11)
            .Set(DicomTags.PixelRepresentation, 0L)
            .Set(DicomTags.RescaleIntercept, (double)RescaleIntercept)
            .Set(DicomTags.RescaleSlope, 1.0)
            .Set(DicomTags.WindowCenter, 600.0)
            .Set(DicomTags.WindowWidth, 2400.0)
            .Set(DicomTags.PixelData, DicomVr.OW, pixels);
    }

    private static void Write(string folder, string name, DicomDataset dataset)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = File.Create(path);
        using var file = new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian);
        DicomWriter.Write(stream, file);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
