using System.Numerics;
using System.Runtime.InteropServices;

namespace Platform.Codecs;

/// <summary>The unused high bits of samples: cleared or sign-extended, so that equal pixels are equal bytes.</summary>
public static class SampleBits
{
    /// <summary>Normalises samples in place. Does nothing where all bits are used.</summary>
    public static void Normalize(Span<byte> pixels, in FrameDescription frame)
    {
        var unused = frame.BitsAllocated - frame.BitsStored;
        if (unused == 0) return;
        switch (frame.BitsAllocated)
        {
            case 8 when frame.IsSigned:
                foreach (ref var sample in MemoryMarshal.Cast<byte, sbyte>(pixels)) sample = (sbyte)((sbyte)(sample << unused) >> unused);
                break;
            case 8:
                Mask(pixels, (byte)(0xFF >> unused));
                break;
            case 16 when frame.IsSigned:
                SignExtend(MemoryMarshal.Cast<byte, short>(pixels), unused);
                break;
            case 16:
                Mask(MemoryMarshal.Cast<byte, ushort>(pixels), (ushort)(0xFFFF >> unused));
                break;
            case 32 when frame.IsSigned:
                foreach (ref var sample in MemoryMarshal.Cast<byte, int>(pixels)) sample = sample << unused >> unused;
                break;
            case 32:
                Mask(MemoryMarshal.Cast<byte, uint>(pixels), uint.MaxValue >> unused);
                break;
        }
    }

    private static void Mask<T>(Span<T> samples, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        var i = 0;
        var masks = new Vector<T>(mask);
        for (; i + Vector<T>.Count <= samples.Length; i += Vector<T>.Count) (new Vector<T>(samples[i..]) & masks).CopyTo(samples[i..]);
        for (; i < samples.Length; i++) samples[i] &= mask;
    }

    private static void SignExtend(Span<short> samples, int unused)
    {
        var i = 0;
        for (; i + Vector<short>.Count <= samples.Length; i += Vector<short>.Count) (new Vector<short>(samples[i..]) << unused >> unused).CopyTo(samples[i..]);
        for (; i < samples.Length; i++) samples[i] = (short)((short)(samples[i] << unused) >> unused);
    }
}
