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
                var mask8 = (byte)(0xFF >> unused);
                foreach (ref var sample in pixels) sample &= mask8;
                break;
            case 16 when frame.IsSigned:
                foreach (ref var sample in MemoryMarshal.Cast<byte, short>(pixels)) sample = (short)((short)(sample << unused) >> unused);
                break;
            case 16:
                var mask16 = (ushort)(0xFFFF >> unused);
                foreach (ref var sample in MemoryMarshal.Cast<byte, ushort>(pixels)) sample &= mask16;
                break;
            case 32 when frame.IsSigned:
                foreach (ref var sample in MemoryMarshal.Cast<byte, int>(pixels)) sample = sample << unused >> unused;
                break;
            case 32:
                var mask32 = uint.MaxValue >> unused;
                foreach (ref var sample in MemoryMarshal.Cast<byte, uint>(pixels)) sample &= mask32;
                break;
        }
    }
}
