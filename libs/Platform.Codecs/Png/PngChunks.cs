using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Codecs.Png;

/// <summary>The chunks of a PNG stream (W3C PNG, third edition, clause 5).</summary>
internal static class PngChunks
{
    public const uint Ihdr = 0x49484452, Plte = 0x504C5445, Trns = 0x74524E53, Idat = 0x49444154, Iend = 0x49454E44;

    private static readonly uint[] Table = MakeTable();

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>CRC-32 of type and data (annex D).</summary>
    public static uint Crc(ReadOnlySpan<byte> bytes, uint crc = 0)
    {
        crc = ~crc;
        foreach (var value in bytes) crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    /// <summary>Writes one chunk.</summary>
    public static void Write(IBufferWriter<byte> stream, uint type, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(head, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], type);
        stream.Write(head);
        stream.Write(data);
        Span<byte> tail = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(tail, Crc(data, Crc(head[4..])));
        stream.Write(tail);
    }

    /// <summary>Reads the chunk at <paramref name="position"/> and moves behind it; its checksum has to be right.</summary>
    public static uint Read(ReadOnlySpan<byte> file, scoped ref int position, out ReadOnlySpan<byte> data)
    {
        if (file.Length - position < 12) throw new InvalidFrameException("A chunk is cut off.", position);
        var length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
        if (length > file.Length - position - 12) throw new InvalidFrameException("A chunk leaves the file.", position);
        var type = BinaryPrimitives.ReadUInt32BigEndian(file[(position + 4)..]);
        data = file.Slice(position + 8, (int)length);
        if (Crc(file.Slice(position + 4, 4 + (int)length)) != BinaryPrimitives.ReadUInt32BigEndian(file[(position + 8 + (int)length)..]))
            throw new InvalidFrameException("A chunk's checksum is wrong.", position);
        position += 12 + (int)length;
        return type;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            table[i] = value;
        }

        return table;
    }
}
