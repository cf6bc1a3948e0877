using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Platform.Codecs.Jpeg;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.Imaging;

namespace ImageApi.Demo;

/// <summary>
/// A whole slide of <see cref="PhantomTissue"/> (PS3.3 A.32.8): four levels of JPEG tiles of 256 pixels, TILED_FULL, with a label and an overview. About 2 MB. Every name
/// in it says that it is synthetic.
/// </summary>
internal sealed class PhantomSlide(int seed = PhantomSlide.DefaultSeed)
{
    public const int DefaultSeed = 1, LevelCount = 4, InstanceCount = LevelCount + 2;

    private const int Tile = 256, Quality = 82;
    private const double SpacingMm = 0.0005;

    private static readonly JpegFrameEncoder Encoder = new();

    public string StudyUid { get; } = Uid(seed, "study");
    public string SeriesUid { get; } = Uid(seed, "series");

    /// <summary>Makes the instances, the finest level first, each a DICOM file.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Make(CancellationToken cancellationToken)
    {
        // The whole is painted a row of tiles at a time, and is never in memory whole: a row is halved into the next level as it goes.
        var (frames, next) = (new List<ReadOnlyMemory<byte>>(), new byte[3 * Up(PhantomTissue.Width) * Up(PhantomTissue.Height)]);
        var tissue = new PhantomTissue(seed);
        var strip = new byte[3 * PhantomTissue.Width * Tile];
        for (var top = 0; top < PhantomTissue.Height; top += Tile)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = Math.Min(Tile, PhantomTissue.Height - top);
            var pixels = strip.AsSpan(0, 3 * PhantomTissue.Width * rows);
            tissue.Paint(top, rows, pixels);
            AddTiles(pixels, PhantomTissue.Width, rows, frames, cancellationToken);
            Resizer.Halve(pixels, PhantomTissue.Width, rows, 3, next.AsSpan(3 * Up(PhantomTissue.Width) * top / 2), cancellationToken);
        }
        yield return Level(0, PhantomTissue.Width, PhantomTissue.Height, frames);

        var (width, height) = (Up(PhantomTissue.Width), Up(PhantomTissue.Height));
        for (var level = 1; level < LevelCount; level++)
        {
            frames.Clear();
            for (var top = 0; top < height; top += Tile) AddTiles(next.AsSpan(3 * width * top, 3 * width * Math.Min(Tile, height - top)), width, Math.Min(Tile, height - top), frames, cancellationToken);
            yield return Level(level, width, height, frames);
            var half = new byte[3 * Up(width) * Up(height)];
            Resizer.Halve(next, width, height, 3, half, cancellationToken);
            (next, width, height) = (half, Up(width), Up(height));
        }

        yield return Beside("OVERVIEW", 5, 512, 192, Overview(next, width, height, cancellationToken), cancellationToken);
        yield return Beside("LABEL", 6, 192, 192, Label(), cancellationToken);
    }

    private static int Up(int length) => (length + 1) / 2;

    private static void AddTiles(ReadOnlySpan<byte> row, int width, int rows, List<ReadOnlyMemory<byte>> frames, CancellationToken cancellationToken)
    {
        var tile = new byte[3 * Tile * Tile];
        for (var left = 0; left < width; left += Tile)
        {
            var columns = Math.Min(Tile, width - left);
            if (columns < Tile || rows < Tile) Array.Fill(tile, (byte)244);
            for (var y = 0; y < rows; y++) row.Slice(3 * (y * width + left), 3 * columns).CopyTo(tile.AsSpan(3 * Tile * y));
            var stream = new ArrayBufferWriter<byte>(24 << 10);
            Encoder.Encode(tile, Tile, Tile, 3, Quality, stream, cancellationToken);
            frames.Add(stream.WrittenMemory);
        }
    }

    /// <summary>The glass from afar: the tissue small, the label's place to its left.</summary>
    private static byte[] Overview(byte[] tissue, int width, int height, CancellationToken cancellationToken)
    {
        const int Width = 512, Height = 192;
        var picture = new byte[3 * Width * Height];
        Array.Fill(picture, (byte)232);
        var (toWidth, toHeight) = Resizer.Fit(width, height, 230, 172);
        var small = new byte[3 * toWidth * toHeight];
        Resizer.Resize(tissue, width, height, 3, small, toWidth, toHeight, cancellationToken);
        for (var y = 0; y < toHeight; y++) small.AsSpan(3 * toWidth * y, 3 * toWidth).CopyTo(picture.AsSpan(3 * ((y + (Height - toHeight) / 2) * Width + 236)));
        for (var y = 0; y < Height; y++) picture.AsSpan(3 * (y * Width), 3 * 150).Fill(248);
        return picture;
    }

    /// <summary>A label without a word on it: bars, as a printed code has.</summary>
    private byte[] Label()
    {
        const int Side = 192;
        var picture = new byte[3 * Side * Side];
        Array.Fill(picture, (byte)250);
        var random = new Random(seed);
        for (var x = 24; x < Side - 24;)
        {
            var (bar, gap) = (random.Next(1, 5), random.Next(1, 5));
            for (var y = 40; y < 120; y++) picture.AsSpan(3 * (y * Side + x), 3 * Math.Min(bar, Side - 24 - x)).Fill(28);
            x += bar + gap;
        }
        for (var line = 0; line < 2; line++)
            for (var y = 136 + 18 * line; y < 142 + 18 * line; y++) picture.AsSpan(3 * (y * Side + 24), 3 * (110 - 40 * line)).Fill(150);
        return picture;
    }

    private byte[] Level(int level, int width, int height, List<ReadOnlyMemory<byte>> frames)
    {
        var spacing = SpacingMm * (1 << level);
        var dataset = Describe($"level {level}", level + 1, level == 0 ? ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"] : ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"], Tile, Tile, width, height)
            .Set(DicomTags.SharedFunctionalGroupsSequence, new DicomDataset()
                .Set(DicomTags.PixelMeasuresSequence, new DicomDataset().Set(DicomTags.SliceThickness, 0.004).Set(DicomTags.PixelSpacing, spacing, spacing))
                .Set(DicomTags.OpticalPathIdentificationSequence, new DicomDataset().Set(DicomTags.OpticalPathIdentifier, "1")));
        return Write(dataset, frames);
    }

    private byte[] Beside(string kind, int number, int width, int height, byte[] pixels, CancellationToken cancellationToken)
    {
        var stream = new ArrayBufferWriter<byte>(16 << 10);
        Encoder.Encode(pixels, width, height, 3, Quality, stream, cancellationToken);
        return Write(Describe(kind, number, ["ORIGINAL", "PRIMARY", kind, "NONE"], height, width, width, height).Set(DicomTags.SpecimenLabelInImage, kind == "LABEL" ? "YES" : "NO"), [stream.WrittenMemory]);
    }

    private static byte[] Write(DicomDataset dataset, List<ReadOnlyMemory<byte>> frames)
    {
        dataset.Set(DicomTags.NumberOfFrames, frames.Count);
        dataset.SetFrames([.. frames], OffsetTable.Basic);
        var file = new ArrayBufferWriter<byte>(frames.Sum(static frame => frame.Length) + (16 << 10));
        DicomWriter.Write(file, new DicomFile(dataset, DicomTransferSyntax.JpegBaseline));
        return file.WrittenSpan.ToArray();
    }

    private DicomDataset Describe(string what, int number, string[] imageType, int rows, int columns, int width, int height) => new DicomDataset()
        .Set(DicomTags.SpecificCharacterSet, "ISO_IR 192")
        .Set(DicomTags.ImageType, imageType)
        .Set(DicomTags.SOPClassUID, Tiles.SlideReader.SopClassUid)
        .Set(DicomTags.SOPInstanceUID, Uid(seed, what))
        .Set(DicomTags.StudyDate, "20251215")
        .Set(DicomTags.SeriesDate, "20251215")
        .Set(DicomTags.ContentDate, "20251215")
        .Set(DicomTags.StudyTime, "120000")
        .Set(DicomTags.SeriesTime, "120000")
        .Set(DicomTags.ContentTime, "120000")
        .Set(DicomTags.AcquisitionDateTime, "20251215120000")
        .Set(DicomTags.AccessionNumber, "PHANTOM-SM")
        .Set(DicomTags.Modality, "SM")
        .Set(DicomTags.Manufacturer, "Platform (synthetic)")
        .Set(DicomTags.ManufacturerModelName, "Phantom slide")
        .Set(DicomTags.DeviceSerialNumber, "1")
        .Set(DicomTags.SoftwareVersions, "1")
        .Set(DicomTags.ReferringPhysicianName, "")
        .Set(DicomTags.StudyDescription, "Synthetic slide")
        .Set(DicomTags.SeriesDescription, "Synthetic tissue, H&E, 20x")
        .Set(DicomTags.PatientName, "PHANTOM^SLIDE^SYNTHETIC")
        .Set(DicomTags.PatientID, "PHANTOM-SM")
        .Set(DicomTags.PatientBirthDate, "")
        .Set(DicomTags.PatientSex, "O")
        .Set(DicomTags.QualityControlSubject, "YES")
        .Set(DicomTags.PatientComments, "Computed from formulas; shows no person.")
        .Set(DicomTags.StudyInstanceUID, StudyUid)
        .Set(DicomTags.SeriesInstanceUID, SeriesUid)
        .Set(DicomTags.StudyID, "1")
        .Set(DicomTags.SeriesNumber, 1L)
        .Set(DicomTags.InstanceNumber, (long)number)
        .Set(DicomTags.FrameOfReferenceUID, Uid(seed, "frame of reference"))
        .Set(DicomTags.PositionReferenceIndicator, "SLIDE_CORNER")
        .Set(DicomTags.ContainerIdentifier, "PHANTOM")
        .Set(DicomTags.VolumetricProperties, "VOLUME")
        .Set(DicomTags.BurnedInAnnotation, "NO")
        .Set(DicomTags.SpecimenLabelInImage, "NO")
        .Set(DicomTags.FocusMethod, "AUTO")
        .Set(DicomTags.ExtendedDepthOfField, "NO")
        .Set(DicomTags.DimensionOrganizationType, "TILED_FULL")
        .Set(DicomTags.TotalPixelMatrixColumns, (long)width)
        .Set(DicomTags.TotalPixelMatrixRows, (long)height)
        .Set(DicomTags.TotalPixelMatrixFocalPlanes, 1L)
        .Set(DicomTags.NumberOfOpticalPaths, 1L)
        .Set(DicomTags.ImagedVolumeWidth, PhantomTissue.Width * SpacingMm)
        .Set(DicomTags.ImagedVolumeHeight, PhantomTissue.Height * SpacingMm)
        .Set(DicomTags.ImagedVolumeDepth, 4d)
        .Set(DicomTags.TotalPixelMatrixOriginSequence, new DicomDataset().Set(DicomTags.XOffsetInSlideCoordinateSystem, 20d).Set(DicomTags.YOffsetInSlideCoordinateSystem, 30d))
        .Set(DicomTags.ImageOrientationSlide, (double[])[0, -1, 0, -1, 0, 0])
        .Set(DicomTags.OpticalPathSequence, new DicomDataset()
            .Set(DicomTags.OpticalPathIdentifier, "1")
            .Set(DicomTags.ObjectiveLensPower, 20d)
            .Set(DicomTags.IlluminationTypeCodeSequence, Code("111744", "DCM", "Brightfield illumination"))
            .Set(DicomTags.IlluminationColorCodeSequence, Code("414298005", "SCT", "Full Spectrum")))
        .Set(DicomTags.SamplesPerPixel, 3L)
        .Set(DicomTags.PhotometricInterpretation, "YBR_FULL_422")
        .Set(DicomTags.PlanarConfiguration, 0)
        .Set(DicomTags.Rows, (long)rows)
        .Set(DicomTags.Columns, (long)columns)
        .Set(DicomTags.BitsAllocated, 8L)
        .Set(DicomTags.BitsStored, 8L)
        .Set(DicomTags.HighBit, 7L)
        .Set(DicomTags.PixelRepresentation, 0)
        .Set(DicomTags.LossyImageCompression, "01")
        .Set(DicomTags.LossyImageCompressionRatio, 15d)
        .Set(DicomTags.LossyImageCompressionMethod, "ISO_10918_1")
        .Set(DicomTags.PresentationLUTShape, "IDENTITY");

    private static DicomDataset Code(string value, string scheme, string meaning) =>
        new DicomDataset().Set(DicomTags.CodeValue, value).Set(DicomTags.CodingSchemeDesignator, scheme).Set(DicomTags.CodeMeaning, meaning);

    /// <summary>A UID from a hash (PS3.5 B.2): 2.25 and the 128 bits of a name-based UUID.</summary>
    private static string Uid(int seed, string what)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"platform phantom slide 1 {seed} {what}")), hash);
        var id = hash[..16];
        id[6] = (byte)((id[6] & 0x0F) | 0x80);   // version 8: custom
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return "2.25." + new BigInteger(id, isUnsigned: true, isBigEndian: true).ToString(CultureInfo.InvariantCulture);
    }
}
