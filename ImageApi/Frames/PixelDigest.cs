using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Platform.Codecs;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>
/// The identity of a frame's pixels: SHA-256("px1", rows, columns, samples, bits stored, sign, colour space, pixels), and for a source that may have lost
/// something the decoder and its version. Parts are preceded by their lengths as in <see cref="DigestBuilder"/>: texts are UTF-8, numbers 8 bytes little
/// endian, the sign 0 or 1, the colour space a term of PS3.3 C.7.6.3.1.2. Pixels are interleaved, little endian, in containers of 8, 16 or 32 bits whose
/// unused high bits are cleared or sign-extended.
/// </summary>
internal static class PixelDigest
{
    /// <summary>Of answers that are a frame: 64 hexadecimal digits.</summary>
    public const string HeaderName = "Platform-Pixel-Digest";

    /// <summary>The digest of a decoded frame.</summary>
    /// <param name="frame">What the pixels are, bits stored and sign as the data set says.</param>
    /// <param name="pixels"><see cref="FrameDescription.ByteLength"/> bytes.</param>
    /// <param name="lossyDecoder">The decoder of a source that may have lost something, such as <c>jpeg/1</c>; else null.</param>
    public static Digest256 Of(in FrameDescription frame, ReadOnlySpan<byte> pixels, string? lossyDecoder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "px1");
        Add(hash, frame.Rows);
        Add(hash, frame.Columns);
        Add(hash, frame.SamplesPerPixel);
        Add(hash, frame.BitsStored);
        Add(hash, frame.IsSigned ? 1 : 0);
        Add(hash, ColourSpaceOf(frame.Photometric));
        Add(hash, pixels);
        if (lossyDecoder is not null) Add(hash, lossyDecoder);
        Span<byte> digest = stackalloc byte[Digest256.Size];
        hash.GetHashAndReset(digest);
        return new Digest256(digest);
    }

    private static string ColourSpaceOf(Photometric photometric) => photometric switch
    {
        Photometric.Monochrome1 => "MONOCHROME1",
        Photometric.Monochrome2 => "MONOCHROME2",
        Photometric.PaletteColor => "PALETTE COLOR",
        Photometric.Rgb => "RGB",
        Photometric.YbrFull => "YBR_FULL",
        Photometric.YbrFull422 => "YBR_FULL_422",
        Photometric.YbrIct => "YBR_ICT",
        Photometric.YbrRct => "YBR_RCT",
        _ => throw new ArgumentOutOfRangeException(nameof(photometric)),
    };

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }

    private static void Add(IncrementalHash hash, long part)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, part);
        Add(hash, bytes);
    }

    private static void Add(IncrementalHash hash, string part) => Add(hash, Encoding.UTF8.GetBytes(part));
}
