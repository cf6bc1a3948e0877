using System.Buffers.Binary;
using ImageApi.Catalog;
using Platform.Dicom;

namespace ImageApi.Manifest;

/// <summary>
/// Reads what a viewer needs of each frame: from the functional groups of an enhanced object (PS3.3 C.7.6.16), frame's own before shared, else
/// from the data set itself. What cannot be read as a finite number is taken as absent.
/// </summary>
internal sealed class FrameAttributes(DicomDataset dataset, InstanceEntry instance)
{
    private readonly DicomDataset? _shared = dataset.GetItem(DicomTags.SharedFunctionalGroupsSequence);
    private readonly IReadOnlyList<DicomDataset> _perFrame = dataset.GetItems(DicomTags.PerFrameFunctionalGroupsSequence);
    private readonly ManifestPalette? _palette = ReadPalette(dataset);

    public ManifestGeometry Geometry(int frameIndex) => new()
    {
        Rows = instance.Rows,
        Columns = instance.Columns,
        PixelSpacing = Numbers(Group(frameIndex, DicomTags.PixelMeasuresSequence), DicomTags.PixelSpacing, 2)
            ?? Numbers(dataset, DicomTags.PixelSpacing, 2) ?? Numbers(dataset, DicomTags.ImagerPixelSpacing, 2)
            ?? Numbers(dataset, DicomTags.NominalScannedPixelSpacing, 2),
        Orientation = Numbers(Group(frameIndex, DicomTags.PlaneOrientationSequence), DicomTags.ImageOrientationPatient, 6)
            ?? Numbers(dataset, DicomTags.ImageOrientationPatient, 6),
        FrameOfReference = Text(dataset, DicomTags.FrameOfReferenceUID),
    };

    public double[]? Position(int frameIndex) =>
        Numbers(Group(frameIndex, DicomTags.PlanePositionSequence), DicomTags.ImagePositionPatient, 3)
        ?? Numbers(dataset, DicomTags.ImagePositionPatient, 3);

    public ManifestPixel Pixel(int frameIndex)
    {
        var transformation = Group(frameIndex, DicomTags.PixelValueTransformationSequence) ?? dataset;
        return new ManifestPixel
        {
            SamplesPerPixel = instance.SamplesPerPixel,
            BitsAllocated = instance.BitsAllocated,
            BitsStored = instance.BitsStored,
            HighBit = dataset.GetInt32(DicomTags.HighBit) ?? instance.BitsStored - 1,
            IsSigned = instance.IsSigned,
            IsPlanar = instance.IsPlanar,
            Photometric = instance.Photometric,
            Slope = Number(transformation, DicomTags.RescaleSlope) is { } slope and not 0 ? slope : 1,
            Intercept = Number(transformation, DicomTags.RescaleIntercept) ?? 0,
            RescaleType = Text(transformation, DicomTags.RescaleType) ?? (Text(dataset, DicomTags.Modality) == "CT" ? "HU" : null), // PS3.3 C.8.2.1.1.2: HU unless said otherwise
            PaddingValue = dataset.GetInt32(DicomTags.PixelPaddingValue),
            Palette = _palette,
        };
    }

    /// <summary>All stored windows, the first being the one to begin with.</summary>
    public IReadOnlyList<ManifestWindow> Windows(int frameIndex)
    {
        var from = Group(frameIndex, DicomTags.FrameVOILUTSequence) ?? dataset;
        var (centers, widths) = (from.GetDoubles(DicomTags.WindowCenter), from.GetDoubles(DicomTags.WindowWidth));
        var explanations = from.GetStrings(DicomTags.WindowCenterWidthExplanation);
        var function = Text(from, DicomTags.VOILUTFunction) is "LINEAR_EXACT" or "SIGMOID" ? Text(from, DicomTags.VOILUTFunction)! : "LINEAR";
        var windows = new List<ManifestWindow>(1);
        for (var i = 0; i < Math.Min(centers.Length, widths.Length); i++)
        {
            if (double.IsFinite(centers[i]) && double.IsFinite(widths[i]) && widths[i] > 0)
                windows.Add(new ManifestWindow(centers[i], widths[i], function, i < explanations.Length && explanations[i].Length > 0 ? explanations[i] : null));
        }
        return windows;
    }

    private DicomDataset? Group(int frameIndex, DicomTag sequence) =>
        (frameIndex < _perFrame.Count ? _perFrame[frameIndex].GetItem(sequence) : null) ?? _shared?.GetItem(sequence);

    private static string? Text(DicomDataset from, DicomTag tag) => from.GetString(tag) is { Length: > 0 } text ? text : null;

    private static double? Number(DicomDataset from, DicomTag tag) => from.GetDouble(tag) is { } number && double.IsFinite(number) ? number : null;

    private static double[]? Numbers(DicomDataset? from, DicomTag tag, int count)
    {
        if (from is null || !from.Contains(tag))
            return null;
        var numbers = from.GetDoubles(tag);
        return numbers.Length == count && Array.TrueForAll(numbers, double.IsFinite) ? numbers : null;
    }

    private static ManifestPalette? ReadPalette(DicomDataset dataset)
    {
        if (!dataset.TryGetElement(DicomTags.RedPaletteColorLookupTableDescriptor, out var descriptor) || descriptor.ValueCount < 3)
            return null;
        // PS3.3 C.7.6.3.1.5: 0 entries stands for 65536; the first value is signed where the pixels are.
        var entries = (int)(descriptor.GetInt32(0) ?? 0) & 0xFFFF;
        entries = entries == 0 ? 65536 : entries;
        var first = descriptor.GetInt32(1) ?? 0;
        if (first > short.MaxValue && dataset.GetInt32(DicomTags.PixelRepresentation) == 1)
            first -= 65536;
        var bits = descriptor.GetInt32(2) ?? 16;
        var red = ReadTable(dataset, DicomTags.RedPaletteColorLookupTableData, entries);
        var green = ReadTable(dataset, DicomTags.GreenPaletteColorLookupTableData, entries);
        var blue = ReadTable(dataset, DicomTags.BluePaletteColorLookupTableData, entries);
        return red is null || green is null || blue is null ? null : new ManifestPalette(red, green, blue, first, bits == 8 ? 8 : 16);
    }

    private static string? ReadTable(DicomDataset dataset, DicomTag tag, int entries)
    {
        if (!dataset.TryGetElement(tag, out var element) || element.IsDeferred || element.IsSequence)
            return null;
        var source = element.Span;
        var table = new byte[entries * 2];
        if (source.Length >= entries * 2)
        {
            for (var i = 0; i < entries; i++)
            {
                var at = source[(i * 2)..];
                var value = element.IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(at) : BinaryPrimitives.ReadUInt16LittleEndian(at);
                BinaryPrimitives.WriteUInt16LittleEndian(table.AsSpan(i * 2), value);
            }
        }
        else if (source.Length >= entries)
        {
            // 8-bit entries, two to a word.
            for (var i = 0; i < entries; i++)
                table[i * 2] = source[element.IsBigEndian && (i ^ 1) < source.Length ? i ^ 1 : i];
        }
        else
        {
            return null;
        }
        return Convert.ToBase64String(table);
    }
}
