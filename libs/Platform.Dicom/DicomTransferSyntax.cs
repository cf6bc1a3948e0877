using System.Collections.Frozen;

namespace Platform.Dicom;

/// <summary>
/// A transfer syntax (PS3.5 A, PS3.6 A): how data elements and pixels are encoded. Compared by UID.
/// A UID that is not listed here is taken as encapsulated explicit VR little endian, as every compressed one is (PS3.5 A.4).
/// </summary>
public sealed class DicomTransferSyntax : IEquatable<DicomTransferSyntax>
{
    private DicomTransferSyntax(string uid, string name)
    {
        Uid = uid;
        Name = name;
    }

    public string Uid { get; }

    /// <summary>The standard's name, or the UID where unknown.</summary>
    public string Name { get; }

    public bool IsExplicitVr { get; private init; } = true;
    public bool IsBigEndian { get; private init; }

    /// <summary>Whether the data set after the file meta information is one deflated stream (PS3.5 A.5).</summary>
    public bool IsDeflated { get; private init; }

    /// <summary>Whether pixel data is a sequence of fragments (PS3.5 A.4).</summary>
    public bool IsEncapsulated { get; private init; }

    /// <summary>Whether the encoding of pixels can lose information.</summary>
    public bool IsLossy { get; private init; }

    /// <summary>Whether PS3.6 lists the UID as a transfer syntax.</summary>
    public bool IsKnown { get; private init; } = true;

    public static DicomTransferSyntax ImplicitVrLittleEndian { get; } = new("1.2.840.10008.1.2", "Implicit VR Little Endian") { IsExplicitVr = false };
    public static DicomTransferSyntax ExplicitVrLittleEndian { get; } = new("1.2.840.10008.1.2.1", "Explicit VR Little Endian");
    public static DicomTransferSyntax EncapsulatedUncompressed { get; } = Encapsulated("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian");
    public static DicomTransferSyntax DeflatedExplicitVrLittleEndian { get; } = new("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian") { IsDeflated = true };
    public static DicomTransferSyntax ExplicitVrBigEndian { get; } = new("1.2.840.10008.1.2.2", "Explicit VR Big Endian") { IsBigEndian = true };
    public static DicomTransferSyntax JpegBaseline { get; } = Encapsulated("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", isLossy: true);
    public static DicomTransferSyntax JpegExtended { get; } = Encapsulated("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", isLossy: true);
    public static DicomTransferSyntax JpegLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)");
    public static DicomTransferSyntax JpegLosslessSv1 { get; } = Encapsulated("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])");
    public static DicomTransferSyntax JpegLsLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression");
    public static DicomTransferSyntax JpegLsNearLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", isLossy: true);
    public static DicomTransferSyntax Jpeg2000Lossless { get; } = Encapsulated("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)");
    public static DicomTransferSyntax Jpeg2000 { get; } = Encapsulated("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", isLossy: true);
    public static DicomTransferSyntax Jpeg2000MulticomponentLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)");
    public static DicomTransferSyntax Jpeg2000Multicomponent { get; } = Encapsulated("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression", isLossy: true);
    public static DicomTransferSyntax Mpeg2MainLevel { get; } = Encapsulated("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", isLossy: true);
    public static DicomTransferSyntax Mpeg2HighLevel { get; } = Encapsulated("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", isLossy: true);
    public static DicomTransferSyntax Mpeg4Avc41 { get; } = Encapsulated("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", isLossy: true);
    public static DicomTransferSyntax Mpeg4Avc41BluRay { get; } = Encapsulated("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", isLossy: true);
    public static DicomTransferSyntax Mpeg4Avc42For2D { get; } = Encapsulated("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", isLossy: true);
    public static DicomTransferSyntax Mpeg4Avc42For3D { get; } = Encapsulated("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", isLossy: true);
    public static DicomTransferSyntax Mpeg4AvcStereo { get; } = Encapsulated("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", isLossy: true);
    public static DicomTransferSyntax HevcMain { get; } = Encapsulated("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", isLossy: true);
    public static DicomTransferSyntax HevcMain10 { get; } = Encapsulated("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", isLossy: true);
    public static DicomTransferSyntax JpegXlLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.110", "JPEG XL Lossless");
    public static DicomTransferSyntax JpegXlJpegRecompression { get; } = Encapsulated("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", isLossy: true);
    public static DicomTransferSyntax JpegXl { get; } = Encapsulated("1.2.840.10008.1.2.4.112", "JPEG XL", isLossy: true);
    public static DicomTransferSyntax Htj2kLossless { get; } = Encapsulated("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)");
    public static DicomTransferSyntax Htj2kLosslessRpcl { get; } = Encapsulated("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)");
    public static DicomTransferSyntax Htj2k { get; } = Encapsulated("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", isLossy: true);
    public static DicomTransferSyntax RleLossless { get; } = Encapsulated("1.2.840.10008.1.2.5", "RLE Lossless");
    public static DicomTransferSyntax DeflatedImageFrame { get; } = Encapsulated("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression");

    // JPEG processes that the standard retired and archives still hold: kept and served as they are.
    private static readonly DicomTransferSyntax[] RetiredJpeg =
    [
        Encapsulated("1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 and 5)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.58", "JPEG Lossless, Non-Hierarchical (Process 15)"),
        Encapsulated("1.2.840.10008.1.2.4.59", "JPEG Extended, Hierarchical (Process 16 and 18)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.60", "JPEG Extended, Hierarchical (Process 17 and 19)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Hierarchical (Process 20 and 22)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Hierarchical (Process 21 and 23)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical (Process 24 and 26)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.64", "JPEG Full Progression, Hierarchical (Process 25 and 27)", isLossy: true),
        Encapsulated("1.2.840.10008.1.2.4.65", "JPEG Lossless, Hierarchical (Process 28)"),
        Encapsulated("1.2.840.10008.1.2.4.66", "JPEG Lossless, Hierarchical (Process 29)"),
    ];

    private static readonly FrozenDictionary<string, DicomTransferSyntax> Known = new[]
    {
        ImplicitVrLittleEndian, ExplicitVrLittleEndian, EncapsulatedUncompressed, DeflatedExplicitVrLittleEndian, ExplicitVrBigEndian,
        JpegBaseline, JpegExtended, JpegLossless, JpegLosslessSv1, JpegLsLossless, JpegLsNearLossless,
        Jpeg2000Lossless, Jpeg2000, Jpeg2000MulticomponentLossless, Jpeg2000Multicomponent,
        Mpeg2MainLevel, Mpeg2HighLevel, Mpeg4Avc41, Mpeg4Avc41BluRay, Mpeg4Avc42For2D, Mpeg4Avc42For3D, Mpeg4AvcStereo, HevcMain, HevcMain10,
        JpegXlLossless, JpegXlJpegRecompression, JpegXl, Htj2kLossless, Htj2kLosslessRpcl, Htj2k, RleLossless, DeflatedImageFrame,
    }.Concat(RetiredJpeg).ToFrozenDictionary(syntax => syntax.Uid, StringComparer.Ordinal);

    /// <summary>The transfer syntaxes that this library knows by name.</summary>
    public static IReadOnlyCollection<DicomTransferSyntax> All => Known.Values;

    public static bool TryGet(string uid, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DicomTransferSyntax? syntax) =>
        Known.TryGetValue(uid, out syntax);

    /// <summary>The transfer syntax with this UID; an unknown one is taken as encapsulated explicit VR little endian.</summary>
    public static DicomTransferSyntax FromUid(string uid) =>
        Known.TryGetValue(uid, out var syntax) ? syntax : new DicomTransferSyntax(uid, uid) { IsEncapsulated = true, IsKnown = false };

    /// <inheritdoc cref="FromUid(string)"/>
    public static DicomTransferSyntax FromUid(ReadOnlySpan<char> uid) =>
        Known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(uid, out var syntax) ? syntax : FromUid(uid.ToString());

    public bool Equals(DicomTransferSyntax? other) => other is not null && (ReferenceEquals(this, other) || Uid == other.Uid);
    public override bool Equals(object? obj) => Equals(obj as DicomTransferSyntax);
    public override int GetHashCode() => Uid.GetHashCode(StringComparison.Ordinal);
    public static bool operator ==(DicomTransferSyntax? left, DicomTransferSyntax? right) => left is null ? right is null : left.Equals(right);
    public static bool operator !=(DicomTransferSyntax? left, DicomTransferSyntax? right) => !(left == right);
    public override string ToString() => Name;

    private static DicomTransferSyntax Encapsulated(string uid, string name, bool isLossy = false) => new(uid, name) { IsEncapsulated = true, IsLossy = isLossy };
}
