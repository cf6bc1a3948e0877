using System.Buffers.Binary;
using System.Text;

namespace Cli.Import;

/// <summary>What kind of file it is, and the SOP Instance UID by which the server will name it.</summary>
/// <param name="IsDicom">Whether it is a DICOM file (PS3.10): a preamble, DICM, and file meta information.</param>
/// <param name="IsDirectory">Whether it is a DICOMDIR, which lists files and is no instance.</param>
/// <param name="SopInstanceUid">Media Storage SOP Instance UID (0002,0003); null where it is missing.</param>
internal readonly record struct Part10Header(bool IsDicom, bool IsDirectory, string? SopInstanceUid)
{
    /// <summary>How much of a file's beginning is looked at, in bytes.</summary>
    public const int PrefixBytes = 4096;

    private const string DirectoryStorage = "1.2.840.10008.1.3.10";

    /// <summary>Reads the beginning of a file. File meta information is always explicit VR little endian (PS3.10 7.1).</summary>
    public static Part10Header Read(ReadOnlySpan<byte> prefix)
    {
        if (prefix.Length < 132 || !prefix[128..132].SequenceEqual("DICM"u8)) return default;
        string? sopClass = null, sopInstance = null;
        var rest = prefix[132..];
        while (rest.Length >= 8 && BinaryPrimitives.ReadUInt16LittleEndian(rest) == 2)
        {
            var element = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
            var isLong = rest[4] == 'O' || rest.Slice(4, 2).SequenceEqual("UN"u8) || rest.Slice(4, 2).SequenceEqual("UT"u8) || rest.Slice(4, 2).SequenceEqual("SQ"u8);
            var header = isLong ? 12 : 8;
            if (rest.Length < header) break;
            var length = isLong ? BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]) : BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]);
            if (length > rest.Length - header) break;
            var value = rest.Slice(header, (int)length);
            if (element == 2) sopClass = Uid(value);
            if (element == 3) sopInstance = Uid(value);
            rest = rest[(header + (int)length)..];
        }

        return new Part10Header(true, sopClass == DirectoryStorage, sopInstance);
    }

    private static string? Uid(ReadOnlySpan<byte> value)
    {
        value = value.Trim(" \0"u8);
        return value.IsEmpty || value.Length > 64 ? null : Encoding.ASCII.GetString(value);
    }
}
