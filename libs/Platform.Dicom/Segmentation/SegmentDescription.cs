namespace Platform.Dicom;

/// <summary>A coded concept (PS3.3 8.8).</summary>
/// <param name="Value">Code Value, at most 16 characters.</param>
/// <param name="Scheme">Coding Scheme Designator: <c>SCT</c>, <c>DCM</c>, <c>99...</c> for one's own.</param>
/// <param name="Meaning">Code Meaning, at most 64 characters.</param>
public sealed record CodedConcept(string Value, string Scheme, string Meaning)
{
    internal DicomDataset ToItem() => new DicomDataset()
        .Set(DicomTags.CodeValue, Value)
        .Set(DicomTags.CodingSchemeDesignator, Scheme)
        .Set(DicomTags.CodeMeaning, Meaning);
}

/// <summary>One segment of a segmentation (PS3.3 C.8.20.4).</summary>
/// <param name="Label">What people read, at most 64 characters.</param>
/// <param name="Category">Its category, such as SCT 123037004 "Anatomical Structure".</param>
/// <param name="Type">What it is, such as SCT 39607008 "Lung".</param>
/// <param name="Red">Of the colour to show it in, sRGB, 0 to 255.</param>
/// <param name="Green">See <paramref name="Red"/>.</param>
/// <param name="Blue">See <paramref name="Red"/>.</param>
public sealed record SegmentDescription(string Label, CodedConcept Category, CodedConcept Type, byte Red, byte Green, byte Blue)
{
    /// <summary>
    /// Recommended Display CIELab Value (0062,000D): L* 0 to 100 and a*, b* -128 to 127, each over 16 bits (PS3.3 C.10.7.1.1), relative to
    /// D50 as a profile connection space is.
    /// </summary>
    internal long[] ToCieLab()
    {
        double red = Linear(Red), green = Linear(Green), blue = Linear(Blue);
        // sRGB (IEC 61966-2-1) to XYZ, adapted from D65 to D50 (Bradford), over the white of D50.
        var x = (0.4360747 * red + 0.3850649 * green + 0.1430804 * blue) / 0.9642;
        var y = 0.2225045 * red + 0.7168786 * green + 0.0606169 * blue;
        var z = (0.0139322 * red + 0.0971045 * green + 0.7141733 * blue) / 0.8249;
        double fx = Root(x), fy = Root(y), fz = Root(z);
        return [Scale((116 * fy - 16) / 100), Scale((500 * (fx - fy) + 128) / 255), Scale((200 * (fy - fz) + 128) / 255)];

        static double Linear(byte value) => value / 255.0 is var v && v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4);
        static double Root(double t) => t > 216.0 / 24389 ? Math.Cbrt(t) : (24389.0 / 27 * t + 16) / 116;
        static long Scale(double share) => (long)Math.Round(Math.Clamp(share, 0, 1) * 65535);
    }
}

/// <summary>What a segmentation says of itself.</summary>
/// <param name="SeriesUid">Of the new series, in the study of the images.</param>
/// <param name="InstanceUid">Of the new instance.</param>
/// <param name="SeriesNumber">0 or more.</param>
/// <param name="Label">Content Label: up to 16 capital letters, digits, spaces and underscores.</param>
/// <param name="Description">Series Description, for people.</param>
/// <param name="AlgorithmName">What made it, with its version.</param>
/// <param name="MadeAt">When.</param>
public sealed record SegmentationIdentity(
    string SeriesUid, string InstanceUid, int SeriesNumber, string Label, string Description, string AlgorithmName, DateTimeOffset MadeAt);
