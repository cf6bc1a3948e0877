namespace Platform.Codecs;

/// <summary>How the samples of one frame are to be read (PS3.3 C.7.6.3).</summary>
/// <param name="Rows">Height in pixels, 1 to 65,535.</param>
/// <param name="Columns">Width in pixels, 1 to 65,535.</param>
/// <param name="SamplesPerPixel">1 (grey, palette) or 3 (colour).</param>
/// <param name="BitsAllocated">The container of one sample: 1, 8, 16 or 32 bits.</param>
/// <param name="BitsStored">The bits of a sample that carry its value, the lowest ones, 1 to <paramref name="BitsAllocated"/>.</param>
/// <param name="IsSigned">Samples are two's complement.</param>
/// <param name="IsPlanar">All samples of the first component come before those of the second; else the samples of one pixel stand together.</param>
/// <param name="Photometric">What the samples mean.</param>
public readonly record struct FrameDescription(
    int Rows, int Columns, int SamplesPerPixel, int BitsAllocated, int BitsStored, bool IsSigned, bool IsPlanar, Photometric Photometric)
{
    /// <summary>Bytes of the frame's pixels. Samples of one bit are packed, eight to a byte, the first pixel in the lowest bit (PS3.5 8.1.1).</summary>
    public long ByteLength => BitsAllocated == 1
        ? ((long)Rows * Columns * SamplesPerPixel + 7) / 8
        : (long)Rows * Columns * SamplesPerPixel * BytesPerSample;

    /// <summary>Bytes of one sample's container; 1 for samples of one bit.</summary>
    public int BytesPerSample => (BitsAllocated + 7) / 8;

    /// <exception cref="InvalidFrameException">A member is out of its range.</exception>
    internal void Validate()
    {
        if (Rows is < 1 or > ushort.MaxValue || Columns is < 1 or > ushort.MaxValue) throw new InvalidFrameException($"A frame of {Columns} x {Rows} pixels is none.");
        if (SamplesPerPixel is not (1 or 3)) throw new InvalidFrameException($"{SamplesPerPixel} samples per pixel are not supported.");
        if (BitsAllocated is not (1 or 8 or 16 or 32)) throw new InvalidFrameException($"{BitsAllocated} bits allocated are not supported.");
        if (BitsStored < 1 || BitsStored > BitsAllocated) throw new InvalidFrameException($"{BitsStored} bits stored do not fit {BitsAllocated} allocated.");
    }
}

/// <summary>Photometric Interpretation (0028,0004) (PS3.3 C.7.6.3.1.2).</summary>
public enum Photometric
{
    Monochrome1,
    Monochrome2,
    PaletteColor,
    Rgb,
    YbrFull,
    YbrFull422,
    YbrIct,
    YbrRct,
}
