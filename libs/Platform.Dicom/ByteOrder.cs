using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Platform.Dicom;

/// <summary>Turns big endian into little endian and back.</summary>
public static class ByteOrder
{
    /// <summary>Reverses the bytes of every unit of 1, 2, 4 or 8 bytes in place; bytes of an incomplete last unit stay.</summary>
    public static void Swap(Span<byte> bytes, int unitBytes)
    {
        bytes = bytes[..(bytes.Length / unitBytes * unitBytes)];
        switch (unitBytes)
        {
            case 2:
                var words = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 4:
                var longs = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
            case 8:
                var quads = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(quads, quads);
                break;
        }
    }
}
