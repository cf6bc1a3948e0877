using System.Text.Json.Serialization;

namespace ImageApi.Manifest;

/// <summary>
/// What a viewer needs to know of a series, in one answer: <c>GET /api/series/{uid}/manifest</c>. Members without a value are left out.
/// A frame carries its own geometry, pixel or window only where it differs from the series'.
/// </summary>
internal sealed record SeriesManifest
{
    /// <summary>16 hexadecimal digits of the series' content.</summary>
    public required string Version { get; init; }

    /// <summary>
    /// Where the beginnings of all frames can be had in one answer; <c>&amp;resolution=1/4&amp;from={index into frames}</c> may go behind it. Absent
    /// where no frame has one.
    /// </summary>
    public string? Preview { get; init; }
    public required string Study { get; init; }
    public required string Series { get; init; }
    public string? Modality { get; init; }
    public int? Number { get; init; }
    public string? Description { get; init; }
    public required ManifestPatient Patient { get; init; }
    public string? StudyDate { get; init; }
    public string? StudyDescription { get; init; }
    public ManifestGeometry? Geometry { get; init; }
    public ManifestPixel? Pixel { get; init; }
    public ManifestWindow? Window { get; init; }
    public required IReadOnlyList<ManifestWindow> Windows { get; init; }

    /// <summary>In display order.</summary>
    public required IReadOnlyList<ManifestFrame> Frames { get; init; }

    /// <summary>Instances without pixels: reports, documents, presentation states.</summary>
    public required IReadOnlyList<ManifestOther> Others { get; init; }
}

/// <summary>Values as the data set has them: the name with its carets, the birth date as <c>yyyyMMdd</c>.</summary>
internal sealed record ManifestPatient(string? Name, string? Id, string? Sex, string? BirthDate);

/// <summary>Rows and columns in pixels; spacings in mm.</summary>
internal sealed record ManifestGeometry
{
    public required int Rows { get; init; }
    public required int Columns { get; init; }

    /// <summary>Between rows, then between columns (PS3.3 10.7.1.3).</summary>
    public double[]? PixelSpacing { get; init; }

    /// <summary>Direction cosines of a row, then of a column.</summary>
    public double[]? Orientation { get; init; }
    public string? FrameOfReference { get; init; }

    /// <summary>Of a series only: the median distance between neighbouring planes.</summary>
    public double? Spacing { get; init; }

    /// <summary>Of a series only: evenly spaced parallel planes of one size.</summary>
    public bool? IsVolume { get; init; }
}

/// <summary>How pixels are stored and what their values mean.</summary>
internal sealed record ManifestPixel
{
    public required int SamplesPerPixel { get; init; }
    public required int BitsAllocated { get; init; }
    public required int BitsStored { get; init; }
    public required int HighBit { get; init; }
    public required bool IsSigned { get; init; }
    public required bool IsPlanar { get; init; }
    public required string Photometric { get; init; }
    public required double Slope { get; init; }
    public required double Intercept { get; init; }
    public string? RescaleType { get; init; }
    public double? PaddingValue { get; init; }
    public ManifestPalette? Palette { get; init; }
}

/// <summary>The three look-up tables of palette colour (PS3.3 C.7.6.3.1.5), each base64 of 16-bit little endian entries.</summary>
/// <param name="Red">The red table.</param>
/// <param name="Green">The green table, as long as the red one.</param>
/// <param name="Blue">The blue table, as long as the red one.</param>
/// <param name="First">The stored value that the first entry is for; smaller ones take it too.</param>
/// <param name="Bits">8 or 16: how many bits of an entry are used.</param>
internal sealed record ManifestPalette(string Red, string Green, string Blue, int First, int Bits);

/// <summary>A VOI window (PS3.3 C.11.2.1.2) on rescaled values. Function: LINEAR, LINEAR_EXACT or SIGMOID.</summary>
internal sealed record ManifestWindow(double Center, double Width, string Function, string? Explanation);

internal sealed record ManifestFrame
{
    /// <summary>SOP Instance UID.</summary>
    public required string Instance { get; init; }

    /// <summary>1-based.</summary>
    public required int Frame { get; init; }

    /// <summary>Instance Number.</summary>
    public int? Number { get; init; }
    public required string Url { get; init; }

    /// <summary>Of the bytes at <see cref="Url"/>: explicit VR little endian for native pixels, whatever the file's own.</summary>
    public required string TransferSyntax { get; init; }

    /// <summary>Bytes at <see cref="Url"/>, where known.</summary>
    public long? Length { get; init; }

    /// <summary>64 hexadecimal digits, equal for every lossless encoding of the frame; where known.</summary>
    public string? PixelDigest { get; init; }

    /// <summary>
    /// Bytes of the frame as 1.2.840.10008.1.2.4.202 that hold each resolution, smallest first; the last is the length of the whole. Where known.
    /// </summary>
    public IReadOnlyList<long>? ResolutionEnds { get; init; }

    /// <summary>Image Position (Patient), mm.</summary>
    public double[]? Position { get; init; }
    public ManifestGeometry? Geometry { get; init; }
    public ManifestPixel? Pixel { get; init; }
    public ManifestWindow? Window { get; init; }
}

internal sealed record ManifestOther(string Instance, string SopClass, string? Title);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SeriesManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
