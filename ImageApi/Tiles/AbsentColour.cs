using Platform.Dicom;

namespace ImageApi.Tiles;

/// <summary>The colour of the places of a slide that no frame covers: Recommended Absent Pixel CIELab Value (0048,0015), else white, black for slides in grey.</summary>
internal static class AbsentColour
{
    public static (byte R, byte G, byte B) Read(DicomDataset dataset, int samplesPerPixel)
    {
        if (dataset.GetInt32(DicomTags.RecommendedAbsentPixelCIELabValue, 0) is { } l && dataset.GetInt32(DicomTags.RecommendedAbsentPixelCIELabValue, 1) is { } a
            && dataset.GetInt32(DicomTags.RecommendedAbsentPixelCIELabValue, 2) is { } b)
            return FromLab(l, a, b);
        return samplesPerPixel == 3 ? ((byte)255, (byte)255, (byte)255) : ((byte)0, (byte)0, (byte)0);
    }

    /// <summary>PS3.3 C.10.7.1.1: L* of 0 to 100 and a*, b* of -128 to 127, each as 0 to 65535, against D50; to sRGB.</summary>
    public static (byte R, byte G, byte B) FromLab(int l16, int a16, int b16)
    {
        var (l, a, b) = (Math.Clamp(l16, 0, 65535) * 100.0 / 65535, Math.Clamp(a16, 0, 65535) / 257.0 - 128, Math.Clamp(b16, 0, 65535) / 257.0 - 128);
        var fy = (l + 16) / 116;
        var (x, y, z) = (0.9642 * Inverse(fy + a / 500), Inverse(fy), 0.8249 * Inverse(fy - b / 200));
        // D50 to linear sRGB, with the adaptation of Bradford.
        return (Encode(3.1338561 * x - 1.6168667 * y - 0.4906146 * z), Encode(-0.9787684 * x + 1.9161415 * y + 0.0334540 * z), Encode(0.0719453 * x - 0.2289914 * y + 1.4052427 * z));
    }

    private static double Inverse(double t) => t > 6.0 / 29 ? t * t * t : (t - 4.0 / 29) * 3 * (6.0 / 29) * (6.0 / 29);

    private static byte Encode(double linear)
    {
        var value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.Pow(linear, 1 / 2.4) - 0.055;
        return (byte)Math.Clamp(Math.Round(value * 255), 0, 255);
    }
}
