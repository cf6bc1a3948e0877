using Platform.Dicom;
using Platform.Tests.Shared;

namespace InferenceApi.Tests.Support;

/// <summary>One CT slice in several encodings: a body of soft tissue with fat around it, a bone in it, and air about it. Stored values are HU + 1024.</summary>
internal static class CtImages
{
    public const string Study = "2.25.9000", Series = "2.25.9000.1", Native = "2.25.9000.1.1", Rle = "2.25.9000.1.2", BigEndian = "2.25.9000.1.3";

    public const int Side = 64;

    public static IReadOnlyList<DicomBuilder> All { get; } =
    [
        Slice(Native, DicomTransferSyntax.ExplicitVrLittleEndian),
        Slice(Rle, DicomTransferSyntax.RleLossless),
        Slice(BigEndian, DicomTransferSyntax.FromUid("1.2.840.10008.1.2.2")),
    ];

    /// <summary>Hounsfield units of a pixel.</summary>
    public static int Hounsfield(int row, int column)
    {
        var distance = Math.Sqrt(Math.Pow(row - 31.5, 2) + Math.Pow(column - 31.5, 2));
        return distance < 6 ? 900 : distance < 22 ? 40 : distance < 28 ? -100 : -1000;
    }

    private static DicomBuilder Slice(string uid, DicomTransferSyntax syntax) => new DicomBuilder
    {
        Rows = Side,
        Columns = Side,
        StudyUid = Study,
        SeriesUid = Series,
        InstanceUid = uid,
        TransferSyntax = syntax,
        Pixel = static (_, row, column) => (uint)(Hounsfield(row, column) + 1024),
    }
    .With(DicomTags.RescaleIntercept, "-1024").With(DicomTags.RescaleSlope, "1").With(DicomTags.PixelSpacing, "0.5", "0.8")
    .With(DicomTags.WindowCenter, "40").With(DicomTags.WindowWidth, "400");
}
