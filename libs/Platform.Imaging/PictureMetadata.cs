using System.Buffers.Binary;
using System.IO.Compression;

namespace Platform.Imaging;

/// <summary>
/// Finds the two things of a picture file's metadata that change how it looks: orientation and colour profile. What cannot be read counts as absent, because
/// metadata that are broken are no reason not to show the picture.
/// </summary>
internal static class PictureMetadata
{
    private const int MaxProfileBytes = 4 << 20;
    private const ushort OrientationTag = 0x0112, ShortType = 3;

    /// <summary>EXIF Orientation of a JPEG's APP1 or a PNG's eXIf, 1 to 8; 1 where there is none.</summary>
    public static int ReadOrientation(ReadOnlySpan<byte> file, PictureFileKind kind)
    {
        if (kind == PictureFileKind.Jpeg)
        {
            foreach (var segment in new JpegSegments(file))
            {
                if (segment.Marker == 0xE1 && segment.Data.StartsWith("Exif\0\0"u8)) return OrientationOf(segment.Data[6..]);
            }
        }
        else if (kind == PictureFileKind.Png && PngChunk(file, "eXIf"u8) is { IsEmpty: false } exif)
        {
            return OrientationOf(exif);
        }
        return 1;
    }

    /// <summary>The ICC profile of a JPEG's APP2 segments (ICC.1 B.4) or a PNG's iCCP; null where there is none that can be computed with.</summary>
    public static IccProfile? ReadProfile(ReadOnlySpan<byte> file, PictureFileKind kind)
    {
        var bytes = kind switch
        {
            PictureFileKind.Jpeg => JoinProfile(file),
            PictureFileKind.Png => InflateProfile(PngChunk(file, "iCCP"u8)),
            _ => null,
        };
        return bytes is null ? null : IccProfile.TryRead(bytes);
    }

    private static byte[]? JoinProfile(ReadOnlySpan<byte> file)
    {
        // Each piece says its number, from 1, and how many there are.
        SortedDictionary<int, byte[]>? pieces = null;
        var (total, length) = (0, 0);
        foreach (var segment in new JpegSegments(file))
        {
            if (segment.Marker != 0xE2 || segment.Data.Length < 14 || !segment.Data.StartsWith("ICC_PROFILE\0"u8)) continue;
            total = segment.Data[13];
            length += segment.Data.Length - 14;
            if (length > MaxProfileBytes) return null;
            (pieces ??= [])[segment.Data[12]] = segment.Data[14..].ToArray();
        }
        return pieces is null || pieces.Count != total || pieces.Keys.First() != 1 || pieces.Keys.Last() != total ? null : [.. pieces.Values.SelectMany(static piece => piece)];
    }

    private static byte[]? InflateProfile(ReadOnlySpan<byte> chunk)
    {
        var end = chunk.IndexOf((byte)0);
        if (end < 0 || end + 2 > chunk.Length || chunk[end + 1] != 0) return null;
        try
        {
            using var inflate = new ZLibStream(new MemoryStream(chunk[(end + 2)..].ToArray()), CompressionMode.Decompress);
            var bytes = new byte[64 << 10];
            var length = 0;
            for (int read; (read = inflate.Read(bytes.AsSpan(length))) > 0;)
            {
                length += read;
                if (length == MaxProfileBytes) return null;
                if (length == bytes.Length) Array.Resize(ref bytes, Math.Min(2 * length, MaxProfileBytes));
            }
            return bytes[..length];
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>From a TIFF structure's first directory (TIFF 6.0, section 2).</summary>
    private static int OrientationOf(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return 1;
        var isLittle = tiff.StartsWith("II"u8);
        if (!isLittle && !tiff.StartsWith("MM"u8)) return 1;
        var offset = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (offset > tiff.Length - 2) return 1;
        var directory = tiff[(int)offset..];
        var count = Short(directory);
        for (var (i, at) = (0, 2); i < count && at + 12 <= directory.Length; i++, at += 12)
        {
            if (Short(directory[at..]) != OrientationTag) continue;
            return Short(directory[(at + 2)..]) == ShortType && Short(directory[(at + 8)..]) is >= 1 and <= 8 and var orientation ? orientation : 1;
        }
        return 1;

        int Short(ReadOnlySpan<byte> bytes) => isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    /// <summary>The first chunk of a type before the pixels; empty where there is none.</summary>
    private static ReadOnlySpan<byte> PngChunk(ReadOnlySpan<byte> file, ReadOnlySpan<byte> type)
    {
        for (var at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > file.Length - at - 12) break;
            var found = file.Slice(at + 4, 4);
            if (found.SequenceEqual(type)) return file.Slice(at + 8, (int)length);
            at += 12 + (int)length;
        }
        return default;
    }

    /// <summary>The segments of a JPEG before its first scan.</summary>
    private ref struct JpegSegments(ReadOnlySpan<byte> file)
    {
        private readonly ReadOnlySpan<byte> _file = file;
        private int _next = 2;

        public Segment Current { get; private set; }

        public readonly JpegSegments GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_next + 4 <= _file.Length && _file[_next] == 0xFF && _file[_next + 1] is 0xFF) _next++;   // fill bytes
            if (_next + 4 > _file.Length || _file[_next] != 0xFF || _file[_next + 1] is 0xDA or 0xD9) return false;
            var length = BinaryPrimitives.ReadUInt16BigEndian(_file[(_next + 2)..]);
            if (length < 2 || _next + 2 + length > _file.Length) return false;
            Current = new Segment(_file[_next + 1], _file.Slice(_next + 4, length - 2));
            _next += 2 + length;
            return true;
        }
    }

    private readonly ref struct Segment(byte marker, ReadOnlySpan<byte> data)
    {
        public byte Marker { get; } = marker;

        public ReadOnlySpan<byte> Data { get; } = data;
    }
}
