using System.Text.Json.Serialization;
using Platform.Nifti;
using Platform.Nifti.Values;

namespace ImageApi.Volumes;

/// <summary>A page of the volumes that the origins can list.</summary>
/// <param name="Total">Volumes in all.</param>
/// <param name="Offset">Volumes before this page.</param>
/// <param name="Limit">Most volumes of a page.</param>
/// <param name="Volumes">By origin, then by path.</param>
/// <param name="Missing">Origins that could not be asked, or were cut short: the list lacks what they have.</param>
internal sealed record VolumePage(int Total, int Offset, int Limit, IReadOnlyList<VolumeSummary> Volumes, IReadOnlyList<MissingOrigin> Missing);

/// <param name="Origin">Name of the origin.</param>
/// <param name="Path">Path in the origin.</param>
/// <param name="Name">The last part of the path.</param>
/// <param name="Bytes">Of the file as stored, where the listing says so.</param>
/// <param name="Modified">When it was changed, where the listing says so.</param>
/// <param name="Url">Where the volume is described; with its version where that is known.</param>
/// <param name="File">Where its bytes are.</param>
/// <param name="Geometry">Where it has been read before.</param>
/// <param name="Type">Where it has been read before.</param>
internal sealed record VolumeSummary(
    string Origin, string Path, string Name, long? Bytes, DateTimeOffset? Modified, string Url, string File, VolumeGeometry? Geometry, VolumeType? Type);

internal sealed record MissingOrigin(string Origin, string Reason);

/// <summary>What a NIfTI volume is. Free text of its header is left out: it may name a patient.</summary>
internal sealed record VolumeDocument
{
    /// <summary>16 hexadecimal digits of the content: another one whenever the file changes.</summary>
    public required string Version { get; init; }
    public required string Origin { get; init; }
    public required string Path { get; init; }

    /// <summary>Of the file as stored.</summary>
    public required long Bytes { get; init; }

    /// <summary>Where the bytes are.</summary>
    public required string File { get; init; }

    /// <summary>Of a pair: where the bytes of its image are.</summary>
    public string? Image { get; init; }

    /// <summary><c>nifti1</c>, <c>nifti2</c> or <c>analyze</c>.</summary>
    public required string Format { get; init; }
    public required bool IsCompressed { get; init; }
    public required bool IsBigEndian { get; init; }
    public required VolumeGeometry Geometry { get; init; }
    public required VolumeType Type { get; init; }

    /// <summary>The values that the author wanted as black and white.</summary>
    public VolumeWindow? Window { get; init; }

    /// <summary>The header's code for what values mean (1002: labels), where it has one.</summary>
    public int? Intent { get; init; }

    /// <summary>Null where the type's values are not read, or geometry alone was asked for.</summary>
    public NiftiValueRange? Values { get; init; }

    public static VolumeDocument Of(VolumeFiles files, string version, string file, string? image, NiftiVolume volume, NiftiValueRange? values)
    {
        var header = volume.Header;
        return new VolumeDocument
        {
            Version = version,
            Origin = files.Origin.Name,
            Path = files.Item.Path,
            Bytes = files.Bytes,
            File = file,
            Image = image,
            Format = header.Version == 0 ? "analyze" : $"nifti{header.Version}",
            IsCompressed = volume.IsCompressed,
            IsBigEndian = header.IsBigEndian,
            Geometry = VolumeGeometry.Of(header),
            Type = new VolumeType(header.DataType.Name(), header.DataType.BitsPerVoxel(), header.Slope, header.Intercept),
            Window = header.CalMax > header.CalMin ? new VolumeWindow(header.CalMin, header.CalMax) : null,
            Intent = header.IntentCode == 0 ? null : header.IntentCode,
            Values = values,
        };
    }
}

/// <param name="Sizes">Voxels along each dimension, 1 to 7 of them: columns, rows, slices, times, ...</param>
/// <param name="SpacingMm">Between voxel centres: column, row, slice.</param>
/// <param name="TimeStep">Between volumes, in <paramref name="TimeUnit"/>, where there are several.</param>
/// <param name="TimeUnit"><c>s</c>, <c>ms</c>, <c>us</c>, <c>Hz</c>, <c>ppm</c>, <c>rad/s</c>.</param>
/// <param name="Affine">Three rows of four: voxel indexes to mm, x to the right, y to the front, z to the top.</param>
/// <param name="Orientation">Where columns, rows and slices lead: <c>RAS</c> and the like; null where the affine is degenerate.</param>
/// <param name="OrientationSource"><c>sform</c>, <c>qform</c>, or <c>none</c>: nobody stated it, left and right may be exchanged.</param>
/// <param name="Space"><c>scannerAnatomical</c>, <c>alignedAnatomical</c>, <c>talairach</c>, <c>mni152</c>, <c>template</c>, <c>unknown</c>.</param>
internal sealed record VolumeGeometry(
    IReadOnlyList<long> Sizes, IReadOnlyList<double> SpacingMm, double? TimeStep, string? TimeUnit,
    IReadOnlyList<double[]> Affine, string? Orientation, string OrientationSource, string Space)
{
    public static VolumeGeometry Of(NiftiHeader header)
    {
        var affine = header.Affine.ToArray();
        return new VolumeGeometry(
            header.Dimensions, header.SpacingMm,
            header.SizeOf(3) > 1 && header.PixelDimensions[3] > 0 ? header.PixelDimensions[3] : null,
            header.SizeOf(3) > 1 ? header.TimeUnit : null,
            [affine[..4], affine[4..8], affine[8..]],
            header.Orientation, header.OrientationSource.ToString().ToLowerInvariant(),
            JsonNamingPolicyOf(header.Space.ToString()));
    }

    private static string JsonNamingPolicyOf(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}

/// <param name="Name"><c>int16</c> and the like.</param>
/// <param name="Bits">Of one voxel.</param>
/// <param name="Slope">A value is slope * stored + intercept.</param>
/// <param name="Intercept">See <paramref name="Slope"/>.</param>
internal sealed record VolumeType(string Name, int Bits, double Slope, double Intercept);

internal sealed record VolumeWindow(double Min, double Max);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VolumePage))]
[JsonSerializable(typeof(VolumeDocument))]
internal sealed partial class VolumesJson : JsonSerializerContext;
