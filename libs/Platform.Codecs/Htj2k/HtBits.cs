using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Htj2k;

/// <summary>
/// The bit streams of a block (T.814 7.1) without their stuffing: afterwards a bit is where its number says and reading needs no
/// look at what came before. Each writes whole words: the target has 16 bytes more than it may hold.
/// </summary>
internal static class HtBits
{
    /// <summary>MagSgn and SigProp: forward, after 0xFF come seven bits; the first bit is lowest. Returns the number of bits.</summary>
    public static int UnstuffForward(ReadOnlySpan<byte> source, Span<byte> target)
    {
        ref var to = ref MemoryMarshal.GetReference(target);
        ulong pending = 0;      // bits that do not fill a byte yet
        int bits = 0, written = 0, i = 0;
        var isShort = false;    // the next byte has seven bits
        while (i < source.Length)
        {
            if (!isShort && source.Length - i >= 8)
            {
                var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(source), i));
                if (!HasFF(word))
                {
                    Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), word << bits | pending);
                    pending = bits == 0 ? 0 : word >> (64 - bits);
                    (i, written) = (i + 8, written + 8);
                    continue;
                }
            }
            var value = source[i++];
            pending |= (ulong)(isShort ? value & 0x7F : value) << bits;
            bits += isShort ? 7 : 8;
            isShort = value == 0xFF;
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), pending);
            if (bits >= 8)
            {
                written++;
                pending >>= 8;
                bits -= 8;
            }
        }
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), pending);
        return 8 * written + bits;
    }

    /// <summary>
    /// VLC and MagRef: backward from the last byte; a byte after one above 0x8F whose lower seven bits are set has seven bits.
    /// </summary>
    /// <param name="source">The bytes; the last is read first.</param>
    /// <param name="target">Takes the bits.</param>
    /// <param name="skipsNibble">VLC: the lowest four bits of the first byte belong to the length (T.814 7.1.4).</param>
    public static int UnstuffBackward(ReadOnlySpan<byte> source, Span<byte> target, bool skipsNibble)
    {
        ref var to = ref MemoryMarshal.GetReference(target);
        ulong pending = 0;
        int bits = 0, written = 0, i = source.Length - 1;
        var mayBeShort = true;
        if (skipsNibble && i >= 0)
        {
            var value = source[i--];
            pending = (ulong)value >> 4;
            bits = (value & 0x70) == 0x70 ? 3 : 4;
            pending &= (1UL << bits) - 1;
            mayBeShort = (value | 0x0F) > 0x8F;
        }
        while (i >= 0)
        {
            if (i >= 7)
            {
                var word = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(source), i - 7)));
                if ((((word & 0x7F7F7F7F7F7F7F7F) + 0x0101010101010101) & 0x8080808080808080) == 0) // no byte with its lower seven bits set
                {
                    Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), word << bits | pending);
                    pending = bits == 0 ? 0 : word >> (64 - bits);
                    (i, written) = (i - 8, written + 8);
                    mayBeShort = word >> 56 > 0x8F;
                    continue;
                }
            }
            var value = source[i--];
            var isShort = mayBeShort && (value & 0x7F) == 0x7F;
            pending |= (ulong)(isShort ? value & 0x7F : value) << bits;
            bits += isShort ? 7 : 8;
            mayBeShort = value > 0x8F;
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), pending);
            if (bits >= 8)
            {
                written++;
                pending >>= 8;
                bits -= 8;
            }
        }
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), pending);
        return 8 * written + bits;
    }

    /// <summary>Undoes <see cref="UnstuffForward"/>: the last byte is filled with ones, and left out where it is 0xFF (T.814 7.1.2).</summary>
    /// <param name="source">The bits; eight bytes more than they take.</param>
    /// <param name="bits">Their number.</param>
    /// <param name="target">Takes the bytes; eight more than they may become.</param>
    /// <returns>The bytes written.</returns>
    public static int StuffForward(ReadOnlySpan<byte> source, long bits, Span<byte> target)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target);
        long at = 0;
        var written = 0;
        var isShort = false;
        while (bits - at >= 64)
        {
            var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref from, (nint)(at >> 3))) >> (int)(at & 7);
            if (!isShort && !HasFF(word & 0x00FFFFFFFFFFFFFF))
            {
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, written), word);
                (at, written) = (at + 56, written + 7);
                continue;
            }
            var value = (byte)(isShort ? word & 0x7F : word);
            Unsafe.Add(ref to, written++) = value;
            at += isShort ? 7 : 8;
            isShort = value == 0xFF;
        }
        while (at < bits)
        {
            var word = (uint)(Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref from, (nint)(at >> 3))) >> (int)(at & 7));
            int room = isShort ? 7 : 8, count = (int)Math.Min(room, bits - at);
            var value = (byte)((word & ((1u << count) - 1)) | (((1u << room) - 1) & ~((1u << count) - 1)));
            Unsafe.Add(ref to, written++) = value;
            at += count;
            isShort = value == 0xFF;
        }
        return isShort ? written - 1 : written;
    }

    /// <summary>Undoes <see cref="UnstuffBackward"/>, whose nibble the bits begin with. Bytes come in the order in which they are read.</summary>
    /// <param name="source">The bits; eight bytes more than they take.</param>
    /// <param name="bits">Their number.</param>
    /// <param name="target">Takes the whole bytes.</param>
    /// <param name="rest">The bits that do not fill a byte.</param>
    /// <param name="restBits">Their number.</param>
    /// <returns>The bytes written.</returns>
    public static int StuffBackward(ReadOnlySpan<byte> source, long bits, Span<byte> target, out int rest, out int restBits)
    {
        long at = 0;
        var written = 0;
        var mayBeShort = true;
        while (true)
        {
            var word = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(source), (nint)(at >> 3))) >> (int)(at & 7);
            var count = mayBeShort && (word & 0x7F) == 0x7F ? 7 : 8;
            if (bits - at < count)
            {
                restBits = (int)(bits - at);
                rest = word & ((1 << restBits) - 1);
                return written;
            }
            var value = (byte)(word & ((1 << count) - 1));
            target[written++] = value;
            at += count;
            mayBeShort = value > 0x8F;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasFF(ulong word) => ((~word - 0x0101010101010101) & word & 0x8080808080808080) != 0;
}
