using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Platform.Nifti;

/// <summary>Turns one byte order into the other.</summary>
internal static class ByteOrder
{
    /// <summary>Reverses the bytes of every unit of 1, 2, 4, 8 or 16 bytes; both spans may be the same.</summary>
    public static void Reverse(ReadOnlySpan<byte> from, Span<byte> to, int unitBytes)
    {
        switch (unitBytes)
        {
            case 2:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ushort>(from), MemoryMarshal.Cast<byte, ushort>(to));
                break;
            case 4:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, uint>(from), MemoryMarshal.Cast<byte, uint>(to));
                break;
            case 8:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, ulong>(from), MemoryMarshal.Cast<byte, ulong>(to));
                break;
            case 16:
                BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, UInt128>(from), MemoryMarshal.Cast<byte, UInt128>(to));
                break;
            default:
                from.CopyTo(to);
                break;
        }
    }
}
