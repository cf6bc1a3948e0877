namespace Platform.Dicom.Pixels;

/// <summary>The Image Pixel module (PS3.3 C.7.6.3) of a data set, as far as it says how pixels are stored.</summary>
public readonly record struct PixelDescription
{
    /// <summary>1..65535.</summary>
    public int Rows { get; init; }

    /// <summary>1..65535.</summary>
    public int Columns { get; init; }

    /// <summary>1 (grey, palette) or 3 (colour), rarely 4.</summary>
    public int SamplesPerPixel { get; init; }

    /// <summary>1, 8, 16, 32 or 64; others, such as 12 with pixels packed, occur in old files. Float pixel data imply 32, double 64.</summary>
    public int BitsAllocated { get; init; }

    /// <summary>1..<see cref="BitsAllocated"/>; that where absent.</summary>
    public int BitsStored { get; init; }

    /// <summary>Position of the highest stored bit; <see cref="BitsStored"/> - 1 where absent.</summary>
    public int HighBit { get; init; }

    public bool IsSigned { get; init; }

    /// <summary>Colour by plane, not by pixel.</summary>
    public bool IsPlanar { get; init; }

    /// <summary>Photometric Interpretation, such as "MONOCHROME2"; empty where absent.</summary>
    public string Photometric { get; init; }

    /// <summary>Number of Frames, at least 1, and 1 where absent.</summary>
    public int FrameCount { get; init; }

    /// <summary>
    /// Bits of one native frame. Frames that are no whole bytes follow each other without padding (PS3.5 8.1.1). Colour differences of
    /// YBR_FULL_422 and YBR_PARTIAL_422 are stored for every second pixel, of YBR_PARTIAL_420 for every fourth (PS3.3 C.7.6.3.1.2).
    /// </summary>
    public long FrameBits
    {
        get
        {
            var pixelBits = (long)Rows * Columns * BitsAllocated;
            return (SamplesPerPixel, Photometric) switch
            {
                (3, "YBR_FULL_422" or "YBR_PARTIAL_422") => pixelBits * 2,
                (3, "YBR_PARTIAL_420") => pixelBits * 3 / 2,
                _ => pixelBits * SamplesPerPixel,
            };
        }
    }

    /// <summary>Bytes that one native frame takes by itself.</summary>
    public long FrameBytes => (FrameBits + 7) / 8;

    /// <summary>False where rows, columns or bits allocated are absent or out of range.</summary>
    public static bool TryRead(DicomDataset dataset, out PixelDescription description)
    {
        var rows = dataset.GetInt32(DicomTags.Rows) ?? 0;
        var columns = dataset.GetInt32(DicomTags.Columns) ?? 0;
        var samples = dataset.GetInt32(DicomTags.SamplesPerPixel) ?? 1;
        var allocated = dataset.GetInt32(DicomTags.BitsAllocated) ?? 0;
        var stored = dataset.GetInt32(DicomTags.BitsStored) ?? allocated;
        description = new PixelDescription
        {
            Rows = rows,
            Columns = columns,
            SamplesPerPixel = samples,
            BitsAllocated = allocated,
            BitsStored = stored,
            HighBit = dataset.GetInt32(DicomTags.HighBit) ?? stored - 1,
            IsSigned = dataset.GetInt32(DicomTags.PixelRepresentation) == 1,
            IsPlanar = samples > 1 && dataset.GetInt32(DicomTags.PlanarConfiguration) == 1,
            Photometric = dataset.GetString(DicomTags.PhotometricInterpretation) ?? "",
            FrameCount = Math.Max(1, dataset.GetInt32(DicomTags.NumberOfFrames) ?? 1),
        };
        return rows is > 0 and <= ushort.MaxValue && columns is > 0 and <= ushort.MaxValue && samples is > 0 and <= 4 && allocated is > 0 and <= 64;
    }
}
