using Platform.Codecs;
using Platform.Dicom;

namespace Platform.Imaging;

/// <summary>The colour palette of a PALETTE COLOR image (PS3.3 C.7.6.3.1.5).</summary>
public sealed class Palette
{
    private readonly LookupTable _red, _green, _blue;

    private Palette(LookupTable red, LookupTable green, LookupTable blue) => (_red, _green, _blue) = (red, green, blue);

    /// <summary>The data set's palette, null where it has none or a broken one. Segmented palettes (PS3.3 C.7.9.2) are not read.</summary>
    public static Palette? TryRead(DicomDataset dataset, bool isSigned)
    {
        var red = Read(dataset, 0x1101, 0x1201, isSigned);
        var green = Read(dataset, 0x1102, 0x1202, isSigned);
        var blue = Read(dataset, 0x1103, 0x1203, isSigned);
        return red is null || green is null || blue is null ? null : new Palette(red, green, blue);
    }

    /// <summary>Colours a frame.</summary>
    /// <param name="pixels">Stored values of 8 or 16 bits.</param>
    /// <param name="frame">What they are.</param>
    /// <param name="rgb">Takes three bytes per pixel.</param>
    public void Map(ReadOnlySpan<byte> pixels, in FrameDescription frame, Span<byte> rgb)
    {
        var size = frame.BytesPerSample;
        for (int i = 0, at = 0; at + 2 < rgb.Length; i += size, at += 3)
        {
            var value = size == 1
                ? frame.IsSigned ? (sbyte)pixels[i] : pixels[i]
                : frame.IsSigned ? (short)(pixels[i] | pixels[i + 1] << 8) : pixels[i] | pixels[i + 1] << 8;
            rgb[at] = To8(_red, value);
            rgb[at + 1] = To8(_green, value);
            rgb[at + 2] = To8(_blue, value);
        }
    }

    private static byte To8(LookupTable table, int value) => (byte)(table.Bits == 8 ? table[value] : table[value] >> (table.Bits - 8));

    private static LookupTable? Read(DicomDataset dataset, ushort descriptor, ushort data, bool isSigned) =>
        LookupTable.TryRead(dataset, new DicomTag(0x0028, descriptor), new DicomTag(0x0028, data), isSigned);
}
