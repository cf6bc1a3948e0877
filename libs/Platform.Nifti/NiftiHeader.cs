using System.Collections.Immutable;

namespace Platform.Nifti;

/// <summary>Where the stated orientation of a volume comes from.</summary>
public enum NiftiOrientationSource
{
    /// <summary>The header states none (<c>qform_code</c> and <c>sform_code</c> 0, or ANALYZE 7.5): left and right are a convention, not a fact.</summary>
    None,

    /// <summary>Quaternion and offset (method 2 of nifti1.h).</summary>
    QForm,

    /// <summary>Affine rows (method 3 of nifti1.h); preferred where both are given.</summary>
    SForm,
}

/// <summary>The space that coordinates lie in (<c>NIFTI_XFORM_*</c>).</summary>
public enum NiftiSpace
{
    Unknown = 0,
    ScannerAnatomical = 1,
    AlignedAnatomical = 2,
    Talairach = 3,
    Mni152 = 4,
    Template = 5,
}

/// <summary>
/// What a NIfTI-1, NIfTI-2 or ANALYZE 7.5 header says, checked: sizes are positive and their product fits, offsets lie where they may,
/// numbers that are used are finite. Immutable.
/// </summary>
public sealed record NiftiHeader
{
    /// <summary>1 or 2 for NIfTI, 0 for ANALYZE 7.5.</summary>
    public required int Version { get; init; }

    public required bool IsBigEndian { get; init; }

    /// <summary>Voxels lie in a file of their own (<c>.img</c>); else behind this header.</summary>
    public required bool IsPair { get; init; }

    public required NiftiDataType DataType { get; init; }

    /// <summary>Voxels along each dimension, 1 to 7 of them: columns, rows, slices, times, and three free ones. Each is at least 1.</summary>
    public required ImmutableArray<long> Dimensions { get; init; }

    /// <summary>Distances along the dimensions as stored (<c>pixdim</c>), not negative; space in <see cref="SpaceUnit"/>, time in <see cref="TimeUnit"/>.</summary>
    public required ImmutableArray<double> PixelDimensions { get; init; }

    /// <summary><c>mm</c>, <c>m</c>, <c>um</c>, or null where the header does not say; then mm are assumed.</summary>
    public string? SpaceUnit { get; init; }

    /// <summary><c>s</c>, <c>ms</c>, <c>us</c>, <c>Hz</c>, <c>ppm</c>, <c>rad/s</c>, or null where the header does not say.</summary>
    public string? TimeUnit { get; init; }

    /// <summary>Distances between voxel centres in mm: column, row, slice.</summary>
    public required ImmutableArray<double> SpacingMm { get; init; }

    /// <summary>A value is <c>Slope * stored + Intercept</c>; 1 and 0 where the header has no scaling.</summary>
    public required double Slope { get; init; }

    public required double Intercept { get; init; }

    /// <summary>Whether values differ from what is stored.</summary>
    public bool IsScaled => Slope != 1 || Intercept != 0;

    /// <summary>The values that the file's author wanted shown as black and white, where <see cref="CalMax"/> is the greater.</summary>
    public required double CalMin { get; init; }

    public required double CalMax { get; init; }

    /// <summary>Where the voxels begin, in bytes from the start of the inflated file that holds them.</summary>
    public required long VoxelOffset { get; init; }

    /// <summary>From voxel indexes (column, row, slice) to mm, x to the right, y to the front, z to the top.</summary>
    public required NiftiAffine Affine { get; init; }

    public required NiftiOrientationSource OrientationSource { get; init; }

    public required NiftiSpace Space { get; init; }

    /// <summary>
    /// Where columns, rows and slices lead, as three letters of R/L, A/P, S/I: <c>RAS</c> means to the patient's right, front and top. Null
    /// where the affine is degenerate.
    /// </summary>
    public string? Orientation => Affine.ToOrientation();

    /// <summary>What the values mean (<c>NIFTI_INTENT_*</c>), 0 for nothing special, 1002 for labels, 1007 for vectors.</summary>
    public required int IntentCode { get; init; }

    public required ImmutableArray<double> IntentParameters { get; init; }

    /// <summary>Free text of the author: may name a patient, so it is neither logged nor served.</summary>
    public required string IntentName { get; init; }

    /// <summary>Free text of the author: may name a patient, so it is neither logged nor served.</summary>
    public required string Description { get; init; }

    /// <summary>Voxels in all, over every dimension.</summary>
    public long VoxelCount => Dimensions.Aggregate(1L, static (product, size) => product * size);

    /// <summary>Bytes of all voxels.</summary>
    public long VoxelBytes => (VoxelCount * DataType.BitsPerVoxel() + 7) / 8;

    /// <summary>Volumes: the product of the dimensions after the third.</summary>
    public long VolumeCount => Dimensions.Skip(3).Aggregate(1L, static (product, size) => product * size);

    /// <summary>Voxels along dimension <paramref name="index"/> (0-based); 1 beyond the last one.</summary>
    public long SizeOf(int index) => index < Dimensions.Length ? Dimensions[index] : 1;
}
