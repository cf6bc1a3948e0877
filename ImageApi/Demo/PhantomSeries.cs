using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Platform.Dicom;

namespace ImageApi.Demo;

/// <summary>
/// The phantom as a CT series of <see cref="SliceCount"/> axial slices of 512 x 512, signed 16 bit in Hounsfield units, explicit VR little endian. Equal seeds give
/// equal bytes. Every name in it says that it is synthetic. Not for use by several threads at once; make one per thread.
/// </summary>
internal sealed class PhantomSeries(int seed = PhantomSeries.DefaultSeed)
{
    public const int SliceCount = 200;
    public const int DefaultSeed = 1;
    private const float Spacing = PhantomAnatomy.Height / SliceCount;

    private readonly PhantomShape[] _shapes = PhantomAnatomy.Build(seed);
    private readonly PhantomNoise _noise = new(seed);
    private readonly PhantomCanvas _canvas = new();
    private readonly short[] _stored = new short[PhantomCanvas.Size * PhantomCanvas.Size];

    public string StudyUid { get; } = Uid(seed, "study");
    public string SeriesUid { get; } = Uid(seed, "series");

    public string SopUidOf(int slice) => Uid(seed, string.Create(CultureInfo.InvariantCulture, $"slice {slice}"));

    /// <summary>Paints a slice: 512 x 512 values in HU, row by row, valid until the next one.</summary>
    /// <param name="slice">0 is the top of the head, <see cref="SliceCount"/> - 1 the liver.</param>
    public ReadOnlySpan<short> Paint(int slice)
    {
        var depth = (slice + 0.5f) * Spacing;
        _canvas.Begin(depth);
        foreach (var shape in _shapes)
        {
            if (shape.Touches(depth)) shape.Paint(_canvas, _noise);
        }
        _noise.Finish(_canvas.Pixels, _stored, slice, SigmaOf(depth));
        return _stored;
    }

    /// <summary>Writes a slice as a DICOM file.</summary>
    public void Write(IBufferWriter<byte> to, int slice)
    {
        var pixels = MemoryMarshal.AsBytes(Paint(slice)).ToArray();
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("The phantom is written on little endian machines.");
        var dataset = Describe(slice);
        dataset.Set(DicomTags.PixelData, DicomVr.OW, new ReadOnlyMemory<byte>(pixels));
        DicomWriter.Write(to, new DicomFile(dataset, DicomTransferSyntax.ExplicitVrLittleEndian));
    }

    /// <summary>Noise in HU: little in the head, most in the shoulders, as a scanner's dose modulation leaves it.</summary>
    private static float SigmaOf(float depth) => depth switch
    {
        < 140 => 5.5f,
        < 270 => 5.5f + ((depth - 140) / 130 * 5),
        < 320 => 10.5f + ((depth - 270) / 50 * 7),
        < 380 => 17.5f - ((depth - 320) / 60 * 6.5f),
        _ => 11,
    };

    private DicomDataset Describe(int slice)
    {
        var position = -(slice + 0.5f) * Spacing;
        return new DicomDataset()
            .Set(DicomTags.SpecificCharacterSet, "ISO_IR 192")
            .Set(DicomTags.ImageType, "DERIVED", "PRIMARY", "AXIAL")
            .Set(DicomTags.SOPClassUID, DicomUids.CTImageStorage)
            .Set(DicomTags.SOPInstanceUID, SopUidOf(slice))
            .Set(DicomTags.StudyDate, "20260101")
            .Set(DicomTags.SeriesDate, "20260101")
            .Set(DicomTags.ContentDate, "20260101")
            .Set(DicomTags.StudyTime, "120000")
            .Set(DicomTags.SeriesTime, "120000")
            .Set(DicomTags.ContentTime, "120000")
            .Set(DicomTags.AccessionNumber, "PHANTOM")
            .Set(DicomTags.Modality, "CT")
            .Set(DicomTags.Manufacturer, "Platform (synthetic)")
            .Set(DicomTags.ReferringPhysicianName, "")
            .Set(DicomTags.StudyDescription, "Synthetic phantom: head and chest")
            .Set(DicomTags.SeriesDescription, "Synthetic axial 3.0 mm")
            .Set(DicomTags.PatientName, "PHANTOM^CT^SYNTHETIC")
            .Set(DicomTags.PatientID, "PHANTOM-CT")
            .Set(DicomTags.PatientBirthDate, "")
            .Set(DicomTags.PatientSex, "O")
            .Set(DicomTags.QualityControlSubject, "YES")
            .Set(DicomTags.PatientComments, "Computed from formulas; shows no person.")
            .Set(DicomTags.BodyPartExamined, "NECKCHEST")
            .Set(DicomTags.SliceThickness, Spacing)
            .Set(DicomTags.KVP, 120d)
            .Set(DicomTags.PatientPosition, "HFS")
            .Set(DicomTags.StudyInstanceUID, StudyUid)
            .Set(DicomTags.SeriesInstanceUID, SeriesUid)
            .Set(DicomTags.StudyID, "1")
            .Set(DicomTags.SeriesNumber, 1L)
            .Set(DicomTags.InstanceNumber, (long)(SliceCount - slice))   // rising towards the head, as the display order does
            .Set(DicomTags.ImagePositionPatient, PhantomCanvas.PositionOf(0), PhantomCanvas.PositionOf(0), position)
            .Set(DicomTags.ImageOrientationPatient, 1d, 0, 0, 0, 1, 0)
            .Set(DicomTags.FrameOfReferenceUID, Uid(seed, "frame of reference"))
            .Set(DicomTags.PositionReferenceIndicator, "")
            .Set(DicomTags.SliceLocation, (double)position)
            .Set(DicomTags.SamplesPerPixel, 1L)
            .Set(DicomTags.PhotometricInterpretation, "MONOCHROME2")
            .Set(DicomTags.Rows, (long)PhantomCanvas.Size)
            .Set(DicomTags.Columns, (long)PhantomCanvas.Size)
            .Set(DicomTags.PixelSpacing, (double)PhantomCanvas.PixelSpacing, PhantomCanvas.PixelSpacing)
            .Set(DicomTags.BitsAllocated, 16L)
            .Set(DicomTags.BitsStored, 16L)
            .Set(DicomTags.HighBit, 15L)
            .Set(DicomTags.PixelRepresentation, 1L)
            .Set(DicomTags.WindowCenter, 40d, -600, 40, 500)
            .Set(DicomTags.WindowWidth, 400d, 1500, 90, 2000)
            .Set(DicomTags.RescaleIntercept, 0d)
            .Set(DicomTags.RescaleSlope, 1d)
            .Set(DicomTags.RescaleType, "HU")
            .Set(DicomTags.WindowCenterWidthExplanation, "SOFT TISSUE", "LUNG", "BRAIN", "BONE");
    }

    private static string Uid(int seed, string what) => DicomUids.FromName(string.Create(CultureInfo.InvariantCulture, $"platform phantom ct 1 {seed} {what}"));
}
