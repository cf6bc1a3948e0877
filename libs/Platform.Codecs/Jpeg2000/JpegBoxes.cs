using System.Buffers.Binary;

namespace Platform.Codecs.Jpeg2000;

/// <summary>The boxes around a codestream in a JP2 or JPH file (T.800 annex I). DICOM forbids them; they are met all the same.</summary>
internal static class JpegBoxes
{
    /// <summary>Where the codestream begins: 0 where there are no boxes.</summary>
    public static int FindCodestream(ReadOnlySpan<byte> data)
    {
        if (!data.StartsWith("\0\0\0\u000CjP  "u8)) return 0;
        long at = 0;
        while (at + 8 <= data.Length)
        {
            var box = data[(int)at..];
            long length = BinaryPrimitives.ReadUInt32BigEndian(box), header = 8;
            if (length == 1)
            {
                if (box.Length < 16) break;
                length = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(box[8..]), long.MaxValue / 2);
                header = 16;
            }
            if (box.Slice(4, 4).SequenceEqual("jp2c"u8)) return (int)(at + header);
            if (length == 0) break; // the last box
            if (length < header) throw new InvalidFrameException("A box is broken.", at);
            at += length;
        }
        throw new InvalidFrameException("The file has no codestream.", Math.Min(at, data.Length));
    }
}
