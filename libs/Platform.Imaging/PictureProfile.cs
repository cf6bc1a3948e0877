using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Platform.Imaging;

/// <summary>Puts a colour profile into an encoded picture of three channels: JPEG (ICC.1 B.4), PNG (iCCP), WebP (RFC 9649 2.7.1.4).</summary>
public static class PictureProfile
{
    private const int MaxSegmentBytes = 65519;   // what an APP2 holds beside its own 16 bytes

    /// <summary>A profile of sRGB (IEC 61966-2-1), of our own making: version 4, a matrix in D50 and its curve as parameters.</summary>
    public static ReadOnlyMemory<byte> Srgb { get; } = MakeSrgb();

    /// <summary>Writes the picture with the profile.</summary>
    /// <param name="file">A JPEG, PNG or WebP file as our encoders write them: of three channels, without a profile.</param>
    /// <param name="profile">An RGB profile, at most 16 MB.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="height">Of the picture.</param>
    /// <param name="to">Takes the file.</param>
    public static void Write(ReadOnlySpan<byte> file, ReadOnlySpan<byte> profile, int width, int height, IBufferWriter<byte> to)
    {
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8])) WriteJpeg(file, profile, to);
        else if (file.StartsWith("RIFF"u8)) WriteWebp(file, profile, width, height, to);
        else WritePng(file, profile, to);
    }

    // After the JFIF segment, which has to be the first.
    private static void WriteJpeg(ReadOnlySpan<byte> file, ReadOnlySpan<byte> profile, IBufferWriter<byte> to)
    {
        var start = 4 + BinaryPrimitives.ReadUInt16BigEndian(file[4..]);
        to.Write(file[..start]);
        var count = (profile.Length + MaxSegmentBytes - 1) / MaxSegmentBytes;
        for (var i = 0; i < count; i++)
        {
            var piece = profile[(i * MaxSegmentBytes)..Math.Min(profile.Length, (i + 1) * MaxSegmentBytes)];
            var length = piece.Length + 16;
            to.Write((ReadOnlySpan<byte>)[0xFF, 0xE2, (byte)(length >> 8), (byte)length]);
            to.Write("ICC_PROFILE\0"u8);
            to.Write((ReadOnlySpan<byte>)[(byte)(i + 1), (byte)count]);
            to.Write(piece);
        }
        to.Write(file[start..]);
    }

    // After the header: 8 bytes of signature, 25 of IHDR.
    private static void WritePng(ReadOnlySpan<byte> file, ReadOnlySpan<byte> profile, IBufferWriter<byte> to)
    {
        using var body = new MemoryStream();
        body.Write("iCCPicc\0\0"u8);
        using (var deflate = new ZLibStream(body, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(profile);
        var chunk = body.GetBuffer().AsSpan(0, (int)body.Length);
        to.Write(file[..33]);
        WriteNumber(to, (uint)chunk.Length - 4, isLittle: false);
        to.Write(chunk);
        WriteNumber(to, Crc(chunk), isLittle: false);
        to.Write(file[33..]);
    }

    private static void WriteWebp(ReadOnlySpan<byte> file, ReadOnlySpan<byte> profile, int width, int height, IBufferWriter<byte> to)
    {
        var padded = profile.Length + (profile.Length & 1);
        to.Write("RIFF"u8);
        WriteNumber(to, (uint)(file.Length - 8 + 18 + 8 + padded), isLittle: true);
        to.Write("WEBPVP8X"u8);
        WriteNumber(to, 10, isLittle: true);
        to.Write((ReadOnlySpan<byte>)[0x20, 0, 0, 0, (byte)(width - 1), (byte)((width - 1) >> 8), (byte)((width - 1) >> 16), (byte)(height - 1), (byte)((height - 1) >> 8), (byte)((height - 1) >> 16)]);
        to.Write("ICCP"u8);
        WriteNumber(to, (uint)profile.Length, isLittle: true);
        to.Write(profile);
        if (padded > profile.Length) to.Write((ReadOnlySpan<byte>)[0]);
        to.Write(file[12..]);
    }

    private static void WriteNumber(IBufferWriter<byte> to, uint value, bool isLittle)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (isLittle) BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        else BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        to.Write(bytes);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }

    private static byte[] MakeSrgb()
    {
        // ICC.1:2010: sRGB's primaries adapted to D50 by Bradford; the matrix that did it; the curve of type 3.
        var tags = new (string Name, byte[] Data)[]
        {
            ("desc", Text("sRGB")), ("cprt", Text("CC0")), ("wtpt", Xyz(0.9642, 1, 0.8249)),
            ("rXYZ", Xyz(0.436066, 0.222488, 0.013916)), ("gXYZ", Xyz(0.385147, 0.716873, 0.097076)), ("bXYZ", Xyz(0.143066, 0.060608, 0.714096)),
            ("chad", [.. "sf32\0\0\0\0"u8, .. Numbers(1.047882, 0.022919, -0.050217, 0.029587, 0.990479, -0.017059, -0.009232, 0.015076, 0.751678)]),
            ("rTRC", Curve()), ("gTRC", Curve()), ("bTRC", Curve()),
        };
        var offset = 128 + 4 + 12 * tags.Length;
        List<byte> table = [0, 0, 0, (byte)tags.Length], body = [];
        foreach (var (name, data) in tags)
        {
            table.AddRange(Encoding.ASCII.GetBytes(name));
            table.AddRange(Number(offset + body.Count));
            table.AddRange(Number(data.Length));
            body.AddRange(data);
            while (body.Count % 4 != 0) body.Add(0);
        }
        List<byte> header = [.. Number(offset + body.Count), 0, 0, 0, 0, 4, 0x30, 0, 0, .. "mntrRGB XYZ "u8, 0x07, 0xE9, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, .. "acsp"u8, .. new byte[28], .. Numbers(0.9642, 1, 0.8249), .. new byte[48]];
        return [.. header, .. table, .. body];

        static byte[] Number(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
        static byte[] Numbers(params double[] values) => [.. values.SelectMany(static value => Number((int)Math.Round(value * 65536)))];
        static byte[] Xyz(double x, double y, double z) => [.. "XYZ \0\0\0\0"u8, .. Numbers(x, y, z)];
        static byte[] Curve() => [.. "para\0\0\0\0\0\u0003\0\0"u8, .. Numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)];
        static byte[] Text(string text) => [.. "mluc\0\0\0\0"u8, .. Number(1), .. Number(12), .. "enUS"u8, .. Number(2 * text.Length), .. Number(28), .. Encoding.BigEndianUnicode.GetBytes(text)];
    }
}
