using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// A row's components into containers of 8, 16 or 32 bits, the samples of a pixel together; and 8-bit pixels into components. The vectors
/// give the scalars' bytes.
/// </summary>
internal static class PixelRows
{
    /// <summary>Samples as they follow each other.</summary>
    public static void Write(ReadOnlySpan<ushort> line, Span<byte> target, int bytesPerSample)
    {
        if (bytesPerSample == 1) Narrow(line, target);
        else if (bytesPerSample == 2) line.CopyTo(MemoryMarshal.Cast<byte, ushort>(target));
        else for (var i = 0; i < line.Length; i++) Put(target, i, line[i], bytesPerSample);
    }

    /// <summary>Three components as they are.</summary>
    public static void Write(ReadOnlySpan<ushort> first, ReadOnlySpan<ushort> second, ReadOnlySpan<ushort> third, Span<byte> target, int bytesPerSample, bool isVectorized = true)
    {
        var i = 0;
        if (isVectorized && Ssse3.IsSupported && bytesPerSample == 1)
        {
            for (; i + 16 <= first.Length; i += 16) StoreInTurns(Narrow(first.Slice(i, 16)), Narrow(second.Slice(i, 16)), Narrow(third.Slice(i, 16)), target.Slice(3 * i, 48));
        }
        for (; i < first.Length; i++)
        {
            Put(target, 3 * i, first[i], bytesPerSample);
            Put(target, 3 * i + 1, second[i], bytesPerSample);
            Put(target, 3 * i + 2, third[i], bytesPerSample);
        }
    }

    /// <summary>Luminance and colour differences as RGB: JFIF 1.02, BT.601 full range, 16-bit fixed point with the reference decoders' rounding.</summary>
    public static void WriteRgb(ReadOnlySpan<ushort> luma, ReadOnlySpan<ushort> blueness, ReadOnlySpan<ushort> redness, Span<byte> target, int bytesPerSample, int precision, bool isVectorized = true)
    {
        int center = 1 << (precision - 1), max = (1 << precision) - 1;
        const int Half = 1 << 15;
        var i = isVectorized && Avx2.IsSupported && bytesPerSample == 1 && precision == 8 ? WriteRgbVectors(luma, blueness, redness, target) : 0;
        for (; i < luma.Length; i++)
        {
            int y = luma[i], cb = blueness[i] - center, cr = redness[i] - center;
            Put(target, 3 * i, Math.Clamp(y + ((91881 * cr + Half) >> 16), 0, max), bytesPerSample);
            Put(target, 3 * i + 1, Math.Clamp(y + ((-22554 * cb - 46802 * cr + Half) >> 16), 0, max), bytesPerSample);
            Put(target, 3 * i + 2, Math.Clamp(y + ((116130 * cb + Half) >> 16), 0, max), bytesPerSample);
        }
    }

    // The factors less a whole number, which is added afterwards, fit 16 bits: 91881 = 65536 + 26345, -46802 = -65536 + 18734,
    // 116130 = 131072 - 14942.
    private static int WriteRgbVectors(ReadOnlySpan<ushort> luma, ReadOnlySpan<ushort> blueness, ReadOnlySpan<ushort> redness, Span<byte> target)
    {
        var middle = Vector256.Create((short)128);
        var two = Vector256.Create((short)2);       // times 16384 is the half that rounds
        var half = Vector256.Create(1 << 15);
        var forRed = Vector256.Create(26345 | 16384 << 16).AsInt16();
        var forBlue = Vector256.Create(-14942 & 0xFFFF | 16384 << 16).AsInt16();
        var forGreen = Vector256.Create(-22554 & 0xFFFF | 18734 << 16).AsInt16();
        var i = 0;
        for (; i + Vector256<short>.Count <= luma.Length; i += Vector256<short>.Count)
        {
            var y = Vector256.Create(luma.Slice(i, 16)).AsInt16();
            var cb = Vector256.Create(blueness.Slice(i, 16)).AsInt16() - middle;
            var cr = Vector256.Create(redness.Slice(i, 16)).AsInt16() - middle;
            // Unpacking and packing both work on halves: the order comes out as it went in.
            var r = Avx2.PackSignedSaturate(Avx2.MultiplyAddAdjacent(Avx2.UnpackLow(cr, two), forRed) >> 16, Avx2.MultiplyAddAdjacent(Avx2.UnpackHigh(cr, two), forRed) >> 16) + cr + y;
            var b = Avx2.PackSignedSaturate(Avx2.MultiplyAddAdjacent(Avx2.UnpackLow(cb, two), forBlue) >> 16, Avx2.MultiplyAddAdjacent(Avx2.UnpackHigh(cb, two), forBlue) >> 16) + cb + cb + y;
            var g = Avx2.PackSignedSaturate((Avx2.MultiplyAddAdjacent(Avx2.UnpackLow(cb, cr), forGreen) + half) >> 16, (Avx2.MultiplyAddAdjacent(Avx2.UnpackHigh(cb, cr), forGreen) + half) >> 16) - cr + y;
            StoreInTurns(Sse2.PackUnsignedSaturate(r.GetLower(), r.GetUpper()), Sse2.PackUnsignedSaturate(g.GetLower(), g.GetUpper()), Sse2.PackUnsignedSaturate(b.GetLower(), b.GetUpper()), target.Slice(3 * i, 48));
        }
        return i;
    }

    /// <summary>Grey pixels as samples around zero; what the line is longer repeats the last.</summary>
    public static void ReadGrey(ReadOnlySpan<byte> pixels, Span<short> line, bool isVectorized = true)
    {
        var i = 0;
        if (isVectorized && Avx2.IsSupported)
        {
            for (; i + 16 <= pixels.Length; i += 16) (Avx2.ConvertToVector256Int16(Vector128.Create(pixels.Slice(i, 16))) - Vector256.Create((short)128)).CopyTo(line.Slice(i, 16));
        }
        for (; i < pixels.Length; i++) line[i] = (short)(pixels[i] - 128);
        line[pixels.Length..].Fill(line[pixels.Length - 1]);
    }

    /// <summary>RGB as luminance and colour differences around zero: BT.601 full range, 16-bit fixed point (JFIF 1.02). What the lines are longer repeats the last.</summary>
    public static void ReadRgb(ReadOnlySpan<byte> pixels, Span<short> luma, Span<short> blueness, Span<short> redness, bool isVectorized = true)
    {
        const int Half = 1 << 15;
        var width = pixels.Length / 3;
        var i = isVectorized && Avx2.IsSupported ? ReadRgbVectors(pixels, luma, blueness, redness) : 0;
        for (; i < width; i++)
        {
            int r = pixels[3 * i], g = pixels[3 * i + 1], b = pixels[3 * i + 2];
            luma[i] = (short)(((19595 * r + 38470 * g + 7471 * b + Half) >> 16) - 128);
            blueness[i] = (short)((-11059 * r - 21709 * g + 32768 * b + Half - 1) >> 16);
            redness[i] = (short)((32768 * r - 27439 * g - 5329 * b + Half - 1) >> 16);
        }
        luma[width..].Fill(luma[width - 1]);
        blueness[width..].Fill(blueness[width - 1]);
        redness[width..].Fill(redness[width - 1]);
    }

    private static int ReadRgbVectors(ReadOnlySpan<byte> pixels, Span<short> luma, Span<short> blueness, Span<short> redness)
    {
        const byte No = 0x80;
        var half = Vector256.Create(1 << 15);
        var i = 0;
        for (; 3 * i + 24 <= pixels.Length; i += 8)
        {
            // Bytes 0 to 15 and 8 to 23 of eight pixels.
            var low = Vector128.Create(pixels.Slice(3 * i, 16));
            var high = Vector128.Create(pixels.Slice(3 * i + 8, 16));
            var r = Avx2.ConvertToVector256Int32(Ssse3.Shuffle(low, Vector128.Create(0, 3, 6, 9, 12, 15, No, No, No, No, No, No, No, No, No, No)) | Ssse3.Shuffle(high, Vector128.Create(No, No, No, No, No, No, 10, 13, No, No, No, No, No, No, No, No)));
            var g = Avx2.ConvertToVector256Int32(Ssse3.Shuffle(low, Vector128.Create(1, 4, 7, 10, 13, No, No, No, No, No, No, No, No, No, No, No)) | Ssse3.Shuffle(high, Vector128.Create(No, No, No, No, No, 8, 11, 14, No, No, No, No, No, No, No, No)));
            var b = Avx2.ConvertToVector256Int32(Ssse3.Shuffle(low, Vector128.Create(2, 5, 8, 11, 14, No, No, No, No, No, No, No, No, No, No, No)) | Ssse3.Shuffle(high, Vector128.Create(No, No, No, No, No, 9, 12, 15, No, No, No, No, No, No, No, No)));
            Store(((19595 * r + 38470 * g + 7471 * b + half) >> 16) - Vector256.Create(128), luma.Slice(i, 8));
            Store((b * 32768 - 11059 * r - 21709 * g + half - Vector256<int>.One) >> 16, blueness.Slice(i, 8));
            Store((r * 32768 - 27439 * g - 5329 * b + half - Vector256<int>.One) >> 16, redness.Slice(i, 8));
        }
        return i;

        static void Store(Vector256<int> values, Span<short> target) => Sse2.PackSignedSaturate(values.GetLower(), values.GetUpper()).CopyTo(target);
    }

    private static void Narrow(ReadOnlySpan<ushort> line, Span<byte> target)
    {
        var i = 0;
        for (; i + 16 <= line.Length; i += 16) Narrow(line.Slice(i, 16)).CopyTo(target.Slice(i, 16));
        for (; i < line.Length; i++) target[i] = (byte)line[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Narrow(ReadOnlySpan<ushort> sixteen) => Vector128.Narrow(Vector128.Create(sixteen), Vector128.Create(sixteen[8..]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreInTurns(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Span<byte> target)
    {
        const byte No = 0x80;
        (Ssse3.Shuffle(a, Vector128.Create(0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No, 5))
            | Ssse3.Shuffle(b, Vector128.Create(No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No))
            | Ssse3.Shuffle(c, Vector128.Create(No, No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No))).CopyTo(target);
        (Ssse3.Shuffle(a, Vector128.Create(No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, 10, No))
            | Ssse3.Shuffle(b, Vector128.Create(5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, 10))
            | Ssse3.Shuffle(c, Vector128.Create(No, 5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No))).CopyTo(target[16..]);
        (Ssse3.Shuffle(a, Vector128.Create(No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No, No))
            | Ssse3.Shuffle(b, Vector128.Create(No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No))
            | Ssse3.Shuffle(c, Vector128.Create(10, No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15))).CopyTo(target[32..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Span<byte> target, int at, int value, int bytesPerSample)
    {
        if (bytesPerSample == 1) target[at] = (byte)value;
        else if (bytesPerSample == 2) MemoryMarshal.Cast<byte, ushort>(target)[at] = (ushort)value;
        else MemoryMarshal.Cast<byte, uint>(target)[at] = (uint)value;
    }
}
