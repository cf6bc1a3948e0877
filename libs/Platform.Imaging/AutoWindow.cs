using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>A window for images that carry none: between two percentiles of what the frame shows.</summary>
public static class AutoWindow
{
    /// <summary>Shares of the pixels that may end up black and white.</summary>
    private const double Low = 0.005, High = 0.995;

    /// <summary>
    /// The window between the 0.5th and the 99.5th percentile of a frame's modality values, its padding left out; null when the frame
    /// is not of one sample of 8 or 16 bits, or shows one value only.
    /// </summary>
    /// <param name="pixels">Stored values.</param>
    /// <param name="frame">What they are.</param>
    /// <param name="mapping">Turns stored values into modality units.</param>
    /// <param name="padding">Pixel Padding Value (0028,0120), where the image has one.</param>
    public static VoiWindow? Find(ReadOnlySpan<byte> pixels, in FrameDescription frame, GreyMapping mapping, int? padding)
    {
        if (frame.SamplesPerPixel != 1 || frame.BitsAllocated is not (8 or 16)) return null;
        var size = 1 << frame.BitsAllocated;
        var counts = ArrayPool<int>.Shared.Rent(size);
        try
        {
            counts.AsSpan(0, size).Clear();
            if (frame.BitsAllocated == 8) foreach (var value in pixels) counts[value]++;
            else foreach (var value in MemoryMarshal.Cast<byte, ushort>(pixels)) counts[value]++;
            if (padding is { } padded) counts[padded & (size - 1)] = 0;

            // In the order of the values: negative ones stand in the upper half.
            var first = frame.IsSigned ? size / 2 : 0;
            long total = 0, seen = 0;
            foreach (var count in counts.AsSpan(0, size)) total += count;
            int? low = null, high = null;
            for (var i = 0; i < size && high is null; i++)
            {
                var raw = (first + i) & (size - 1);
                if (counts[raw] == 0) continue;
                seen += counts[raw];
                var value = frame.IsSigned && raw >= size / 2 ? raw - size : raw;
                if (low is null && seen > total * Low) low = value;
                if (seen >= total * High) high = value;
            }
            if (low is null || high is null || low == high) return null;
            double from = mapping.ToModality(low.Value), to = mapping.ToModality(high.Value);
            return new VoiWindow((from + to) / 2 + 0.5, Math.Abs(to - from) + 1);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(counts);
        }
    }
}
