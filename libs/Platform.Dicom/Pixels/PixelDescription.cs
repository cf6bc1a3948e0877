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

    /// <summary>1, 8, 16, 32, 64 in practice; 12 and others occur in old files.</summary>
    public int BitsAllocated { get; init; }

    public int BitsStored { get; init; }
    public int HighBit { get; init; }
    public bool IsSigned { get; init; }

    /// <summary>Colour by plane, not by pixel.</summary>
    public bool IsPlanar { get; init; }

    /// <summary>Photometric Interpretation, such as "MONOCHROME2".</summary>
    public string Photometric { get; init; }

    /// <summary>Number of Frames, 1 where absent.</summary>
    public int FrameCount { get; init; }

    /// <summary>Bits of one native frame; frames of 1-bit pixels follow each other without padding (PS3.5 8.1.1). YBR_FULL_422 has two samples per pixel.</summary>
    public long FrameBits => throw new NotSupportedException();

    /// <summary>Bytes that one native frame takes by itself.</summary>
    public long FrameBytes => (FrameBits + 7) / 8;

    /// <summary>False where rows, columns or bits allocated are absent or no positive numbers.</summary>
    public static bool TryRead(DicomDataset dataset, out PixelDescription description) => throw new NotSupportedException();
}
