namespace Platform.Nifti;

/// <summary>What one voxel is, with the header's codes (nifti1.h, <c>DT_*</c>).</summary>
public enum NiftiDataType : short
{
    Unknown = 0,

    /// <summary>One bit a voxel. Described; its values are not read.</summary>
    Binary = 1,
    UInt8 = 2,
    Int16 = 4,
    Int32 = 8,
    Float32 = 16,

    /// <summary>Two float32: real, imaginary.</summary>
    Complex64 = 32,
    Float64 = 64,

    /// <summary>Three bytes: red, green, blue.</summary>
    Rgb24 = 128,
    Int8 = 256,
    UInt16 = 512,
    UInt32 = 768,
    Int64 = 1024,
    UInt64 = 1280,

    /// <summary>16 bytes of a machine's long double. Described; its values are not read.</summary>
    Float128 = 1536,

    /// <summary>Two float64: real, imaginary.</summary>
    Complex128 = 1792,

    /// <summary>Two float128. Described; its values are not read.</summary>
    Complex256 = 2048,

    /// <summary>Four bytes: red, green, blue, alpha.</summary>
    Rgba32 = 2304,
}

/// <summary>What follows from a data type.</summary>
public static class NiftiDataTypes
{
    /// <summary>Bits of one voxel; 0 for a code that is not known.</summary>
    public static int BitsPerVoxel(this NiftiDataType type) => type switch
    {
        NiftiDataType.Binary => 1,
        NiftiDataType.UInt8 or NiftiDataType.Int8 => 8,
        NiftiDataType.Int16 or NiftiDataType.UInt16 => 16,
        NiftiDataType.Rgb24 => 24,
        NiftiDataType.Int32 or NiftiDataType.UInt32 or NiftiDataType.Float32 or NiftiDataType.Rgba32 => 32,
        NiftiDataType.Int64 or NiftiDataType.UInt64 or NiftiDataType.Float64 or NiftiDataType.Complex64 => 64,
        NiftiDataType.Float128 or NiftiDataType.Complex128 => 128,
        NiftiDataType.Complex256 => 256,
        _ => 0,
    };

    /// <summary>Bytes of the numbers that a voxel is made of: what a change of byte order reverses.</summary>
    public static int BytesPerNumber(this NiftiDataType type) => type switch
    {
        NiftiDataType.Int16 or NiftiDataType.UInt16 => 2,
        NiftiDataType.Int32 or NiftiDataType.UInt32 or NiftiDataType.Float32 or NiftiDataType.Complex64 => 4,
        NiftiDataType.Int64 or NiftiDataType.UInt64 or NiftiDataType.Float64 or NiftiDataType.Complex128 => 8,
        NiftiDataType.Float128 or NiftiDataType.Complex256 => 16,
        _ => 1,
    };

    /// <summary>Whether voxels can be turned into numbers here: all but bits, 128-bit floats and unknown codes.</summary>
    public static bool HasReadableValues(this NiftiDataType type) =>
        type.BitsPerVoxel() >= 8 && type is not (NiftiDataType.Float128 or NiftiDataType.Complex256);

    /// <summary>Whether slope and intercept apply; they do not to colours.</summary>
    public static bool IsColour(this NiftiDataType type) => type is NiftiDataType.Rgb24 or NiftiDataType.Rgba32;

    /// <summary>The name in lower case, as in <c>int16</c>.</summary>
    public static string Name(this NiftiDataType type) => type.ToString().ToLowerInvariant();
}
