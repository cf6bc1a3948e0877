using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Jpeg;

/// <summary>A row's components: to RGB, and into containers of 8, 16 or 32 bits with the samples of a pixel together.</summary>
internal static class PixelRows
{
    /// <summary>JFIF 1.02, BT.601 full range, 16-bit fixed point with the reference decoders' rounding.</summary>
    /// <param name="luma">Y, of 8 or 12 bits as the other two; all six are equally long.</param>
    /// <param name="blueness">Cb.</param>
    /// <param name="redness">Cr.</param>
    /// <param name="red">Takes red; may be one of the sources, as the other targets may.</param>
    /// <param name="green">Takes green.</param>
    /// <param name="blue">Takes blue.</param>
    /// <param name="precision">8 or 12 bits.</param>
    /// <param name="isVectorized">False for the scalar twin.</param>
    public static void ToRgb(ReadOnlySpan<ushort> luma, ReadOnlySpan<ushort> blueness, ReadOnlySpan<ushort> redness, Span<ushort> red, Span<ushort> green, Span<ushort> blue, int precision, bool isVectorized = true)
    {
        int center = 1 << (precision - 1), max = (1 << precision) - 1;
        const int Half = 1 << 15;
        var i = 0;
        if (isVectorized && Avx2.IsSupported) i = ToRgbVectors(luma, blueness, redness, red, green, blue, (short)center, (short)max);
        for (; i < luma.Length; i++)
        {
            int y = luma[i], cb = blueness[i] - center, cr = redness[i] - center;
            red[i] = (ushort)Math.Clamp(y + ((91881 * cr + Half) >> 16), 0, max);
            green[i] = (ushort)Math.Clamp(y + ((-22554 * cb - 46802 * cr + Half) >> 16), 0, max);
            blue[i] = (ushort)Math.Clamp(y + ((116130 * cb + Half) >> 16), 0, max);
        }
    }

    // The factors less a whole number, which is added afterwards, fit 16 bits: 91881 = 65536 + 26345, -46802 = -65536 + 18734,
    // 116130 = 131072 - 14942.
    private static int ToRgbVectors(ReadOnlySpan<ushort> luma, ReadOnlySpan<ushort> blueness, ReadOnlySpan<ushort> redness, Span<ushort> red, Span<ushort> green, Span<ushort> blue, short center, short max)
    {
        var middle = Vector256.Create(center);
        var most = Vector256.Create(max);
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
            Vector256.Min(Vector256.Max(r, Vector256<short>.Zero), most).AsUInt16().CopyTo(red[i..]);
            Vector256.Min(Vector256.Max(g, Vector256<short>.Zero), most).AsUInt16().CopyTo(green[i..]);
            Vector256.Min(Vector256.Max(b, Vector256<short>.Zero), most).AsUInt16().CopyTo(blue[i..]);
        }
        return i;
    }

    /// <summary>Samples that follow each other, into containers of 8, 16 or 32 bits.</summary>
    public static void WriteGrey(ReadOnlySpan<ushort> line, Span<byte> target, int bytesPerSample)
    {
        if (bytesPerSample == 1) Narrow(line, target);
        else if (bytesPerSample == 2) line.CopyTo(MemoryMarshal.Cast<byte, ushort>(target));
        else Spread(line, target, 0, 1, bytesPerSample);
    }

    /// <summary>Three components, the samples of a pixel together.</summary>
    public static void WriteColour(ReadOnlySpan<ushort> first, ReadOnlySpan<ushort> second, ReadOnlySpan<ushort> third, Span<byte> target, int bytesPerSample, bool isVectorized = true)
    {
        var done = bytesPerSample == 1 && isVectorized && Ssse3.IsSupported ? InterleaveVectors(first, second, third, target) : 0;
        target = target[(3 * done)..];
        Spread(first[done..], target, 0, 3, bytesPerSample);
        Spread(second[done..], target, 1, 3, bytesPerSample);
        Spread(third[done..], target, 2, 3, bytesPerSample);
    }

    private static void Narrow(ReadOnlySpan<ushort> line, Span<byte> target)
    {
        var i = 0;
        for (; i + 32 <= line.Length; i += 32) Vector256.Narrow(Vector256.Create(line.Slice(i, 16)), Vector256.Create(line.Slice(i + 16, 16))).CopyTo(target[i..]);
        for (; i < line.Length; i++) target[i] = (byte)line[i];
    }

    private static int InterleaveVectors(ReadOnlySpan<ushort> first, ReadOnlySpan<ushort> second, ReadOnlySpan<ushort> third, Span<byte> target)
    {
        const byte No = 0x80;
        var i = 0;
        for (; i + 16 <= first.Length; i += 16)
        {
            var a = Vector128.Narrow(Vector128.Create(first.Slice(i, 8)), Vector128.Create(first.Slice(i + 8, 8)));
            var b = Vector128.Narrow(Vector128.Create(second.Slice(i, 8)), Vector128.Create(second.Slice(i + 8, 8)));
            var c = Vector128.Narrow(Vector128.Create(third.Slice(i, 8)), Vector128.Create(third.Slice(i + 8, 8)));
            var to = target.Slice(3 * i, 48);
            (Ssse3.Shuffle(a, Vector128.Create(0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No, 5))
                | Ssse3.Shuffle(b, Vector128.Create(No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No))
                | Ssse3.Shuffle(c, Vector128.Create(No, No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No))).CopyTo(to);
            (Ssse3.Shuffle(a, Vector128.Create(No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, 10, No))
                | Ssse3.Shuffle(b, Vector128.Create(5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, 10))
                | Ssse3.Shuffle(c, Vector128.Create(No, 5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No))).CopyTo(to[16..]);
            (Ssse3.Shuffle(a, Vector128.Create(No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No, No))
                | Ssse3.Shuffle(b, Vector128.Create(No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No))
                | Ssse3.Shuffle(c, Vector128.Create(10, No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15))).CopyTo(to[32..]);
        }
        return i;
    }

    private static void Spread(ReadOnlySpan<ushort> line, Span<byte> target, int component, int count, int bytesPerSample)
    {
        switch (bytesPerSample)
        {
            case 1:
                for (int i = 0, at = component; i < line.Length; i++, at += count) target[at] = (byte)line[i];
                break;
            case 2:
                var wide = MemoryMarshal.Cast<byte, ushort>(target);
                for (int i = 0, at = component; i < line.Length; i++, at += count) wide[at] = line[i];
                break;
            default:
                var widest = MemoryMarshal.Cast<byte, uint>(target);
                for (int i = 0, at = component; i < line.Length; i++, at += count) widest[at] = line[i];
                break;
        }
    }
}
