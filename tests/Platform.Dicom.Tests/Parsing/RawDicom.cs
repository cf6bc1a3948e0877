using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Platform.Dicom.Tests.Parsing;

/// <summary>Writes DICOM byte by byte, well formed or not: what no writer would write.</summary>
internal sealed class RawDicom(bool isExplicit = true, bool isBigEndian = false)
{
    public const uint Undefined = 0xFFFFFFFF;
    private readonly MemoryStream _bytes = new();

    public RawDicom Preamble()
    {
        _bytes.Write(new byte[128]);
        _bytes.Write("DICM"u8);
        return this;
    }

    /// <summary>A preamble and file meta information that names a transfer syntax.</summary>
    public static byte[] Head(DicomTransferSyntax syntax) =>
        new RawDicom().Preamble().Element(0x00020010, "UI", Encoding.ASCII.GetBytes(syntax.Uid.Length % 2 == 0 ? syntax.Uid : syntax.Uid + '\0')).ToArray();

    public RawDicom Element(uint tag, string vr, byte[] value, uint? length = null) => Header(tag, vr, length ?? (uint)value.Length).Bytes(value);

    public RawDicom Element(uint tag, string vr, string value) => Element(tag, vr, Encoding.Latin1.GetBytes(value.Length % 2 == 0 ? value : value + ' '));

    public RawDicom Header(uint tag, string vr, uint length)
    {
        Tag(tag);
        if (!isExplicit) return Number4(length);
        _bytes.Write(Encoding.ASCII.GetBytes(vr));
        if (vr is "OB" or "OD" or "OF" or "OL" or "OV" or "OW" or "SQ" or "SV" or "UC" or "UN" or "UR" or "UT" or "UV" or "ZZ")
        {
            _bytes.Write([0, 0]);
            return Number4(length);
        }
        Span<byte> two = stackalloc byte[2];
        if (isBigEndian) BinaryPrimitives.WriteUInt16BigEndian(two, (ushort)length);
        else BinaryPrimitives.WriteUInt16LittleEndian(two, (ushort)length);
        _bytes.Write(two);
        return this;
    }

    public RawDicom Item(uint length = Undefined) => Tag(0xFFFEE000).Number4(length);
    public RawDicom EndItem() => Tag(0xFFFEE00D).Number4(0);
    public RawDicom EndSequence() => Tag(0xFFFEE0DD).Number4(0);

    public RawDicom Bytes(params byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public RawDicom Tag(uint tag)
    {
        Span<byte> four = stackalloc byte[4];
        if (isBigEndian) BinaryPrimitives.WriteUInt32BigEndian(four, tag);
        else BinaryPrimitives.WriteUInt32LittleEndian(four, uint.RotateLeft(tag, 16));
        _bytes.Write(four);
        return this;
    }

    public RawDicom Number4(uint value)
    {
        Span<byte> four = stackalloc byte[4];
        if (isBigEndian) BinaryPrimitives.WriteUInt32BigEndian(four, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(four, value);
        _bytes.Write(four);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();

    public byte[] ToFile(DicomTransferSyntax syntax) => [.. Head(syntax), .. ToArray()];

    public byte[] ToDeflatedFile()
    {
        using var deflated = new MemoryStream();
        using (var stream = new DeflateStream(deflated, CompressionLevel.Fastest, leaveOpen: true)) stream.Write(ToArray());
        return [.. Head(DicomTransferSyntax.DeflatedExplicitVrLittleEndian), .. deflated.ToArray()];
    }
}
