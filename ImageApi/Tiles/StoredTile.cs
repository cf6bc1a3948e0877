using System.Buffers;
using System.Buffers.Binary;

namespace ImageApi.Tiles;

/// <summary>
/// Whether a frame as stored already is the tile asked for: a JPEG that every browser decodes, to the colours that we decode it to. Looks at the stream's own
/// headers, because a data set often says something else.
/// </summary>
internal static class StoredTile
{
    /// <summary>JPEG Baseline.</summary>
    public const string TransferSyntaxUid = "1.2.840.10008.1.2.4.50";

    private const int MaxHeaderBytes = 64 << 10;

    /// <summary>Whether the stream is baseline, 256 x 256, of three components, whole, and its colours are told without the data set's help.</summary>
    /// <param name="frame">As stored.</param>
    /// <param name="isRgbInDataset">What the data set says of the colours, for streams that do not say.</param>
    public static bool IsTile(in ReadOnlySequence<byte> frame, bool isRgbInDataset)
    {
        if (frame.Length < 4 || !EndsWithImage(frame)) return false;
        Span<byte> bytes = frame.Length <= 4096 ? stackalloc byte[(int)frame.Length] : new byte[(int)Math.Min(frame.Length, MaxHeaderBytes)];
        frame.Slice(0, bytes.Length).CopyTo(bytes);
        if (bytes[0] != 0xFF || bytes[1] != 0xD8) return false;
        var (hasFrame, hasQuantization, hasHuffman, hasJfif, adobe, isRgbById, isSubsampled) = (false, false, false, false, -1, false, false);
        for (var at = 2; at + 4 <= bytes.Length;)
        {
            if (bytes[at] != 0xFF) return false;
            var marker = bytes[at + 1];
            if (marker == 0xFF)
            {
                at++;   // fill
                continue;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            if (length < 2 || at + 2 + length > bytes.Length) return false;
            var body = bytes.Slice(at + 4, length - 2);
            switch (marker)
            {
                case 0xC0:   // SOF0
                    if (hasFrame || body is not [8, 1, 0, 1, 0, 3, ..] || body.Length != 15) return false;
                    hasFrame = true;
                    isRgbById = body[6] == 'R' && body[9] == 'G' && body[12] == 'B';
                    isSubsampled = body[7] != body[10] || body[7] != body[13];
                    break;
                case 0xC1 or 0xC2 or 0xC3 or (>= 0xC5 and <= 0xC7) or (>= 0xC9 and <= 0xCB) or (>= 0xCD and <= 0xCF):
                    return false;
                case 0xC4:
                    hasHuffman = true;
                    break;
                case 0xDB:
                    hasQuantization = true;
                    break;
                case 0xE0 when body.StartsWith("JFIF\0"u8):
                    hasJfif = true;
                    break;
                case 0xEE when body.StartsWith("Adobe"u8) && body.Length >= 12:
                    adobe = body[11];
                    break;
                case 0xDA:   // SOS: all components in one scan, or it is none of the usual ones
                    return hasFrame && hasQuantization && hasHuffman && body is [3, ..] && IsColourClear(hasJfif, adobe, isRgbById, isSubsampled, isRgbInDataset);
            }
            at += 2 + length;
        }
        return false;
    }

    // Browsers believe JFIF before Adobe, then Adobe, then the ids of the components; and take everything else for YCbCr. We believe Adobe first, and the data set last.
    private static bool IsColourClear(bool hasJfif, int adobe, bool isRgbById, bool isSubsampled, bool isRgbInDataset)
    {
        if (adobe >= 0) return adobe == 1 || (adobe == 0 && !hasJfif);
        return hasJfif || isRgbById || !isRgbInDataset || isSubsampled;
    }

    /// <summary>A stream that was cut is shown grey where it ends; it is decoded instead, which says what is wrong. One byte may pad it.</summary>
    private static bool EndsWithImage(in ReadOnlySequence<byte> frame)
    {
        Span<byte> end = stackalloc byte[3];
        var length = (int)Math.Min(3, frame.Length);
        frame.Slice(frame.Length - length).CopyTo(end);
        return end[1..length] is [0xFF, 0xD9] || end[..length] is [0xFF, 0xD9, 0];
    }
}
