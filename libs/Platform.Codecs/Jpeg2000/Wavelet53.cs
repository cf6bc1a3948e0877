using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Platform.Codecs.Jpeg2000;

/// <summary>The four bands of one level, and what the level is made of or makes: rows of 32-bit samples.</summary>
internal unsafe struct WaveletLevel
{
    public int* LL, HL, LH, HH, Image;
    public int LLStride, HLStride, LHStride, HHStride, ImageStride;
    public int X0, Y0, X1, Y1; // of the image, in the level's coordinates: whether its first row and column are low or high

    public readonly int Width => X1 - X0;
    public readonly int Height => Y1 - Y0;
    public readonly int LowColumns => ((X1 + 1) >> 1) - ((X0 + 1) >> 1);
    public readonly int HighColumns => (X1 >> 1) - (X0 >> 1);
}

/// <summary>
/// The reversible 5/3 wavelet (T.800 F.3.8.2, F.4.8.1). Rows are read and written in whole vectors: they are padded to 16 samples,
/// and so is the scratch, which holds <see cref="ScratchLength"/> samples. Vector and scalar code give the same samples.
/// </summary>
internal static unsafe class Wavelet53
{
    public static int ScratchLength(int width) => 2 * ((width >> 1) + 48);

    /// <summary>Makes the image of the bands. Each row is interleaved when first needed and lifted as soon as its neighbours are there.</summary>
    public static void Inverse(in WaveletLevel level, int* scratch, bool isVectorized, CancellationToken cancellationToken)
    {
        int height = level.Height, parity = level.Y0 & 1, stride = level.ImageStride;
        if (height == 0 || level.Width == 0) return;
        isVectorized &= Avx2.IsSupported;
        for (var row = 0; row <= height; row++)
        {
            if (row < height)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var i = row >> 1;
                if (((row + parity) & 1) == 0) InverseRow(level, level.LL + (nint)i * level.LLStride, level.HL + (nint)i * level.HLStride, level.Image + (nint)row * stride, scratch, isVectorized);
                else InverseRow(level, level.LH + (nint)i * level.LHStride, level.HH + (nint)i * level.HHStride, level.Image + (nint)row * stride, scratch, isVectorized);
            }
            if (height == 1) break;
            var low = row - 1;
            if (low < 0 || ((low + parity) & 1) != 0) continue;
            var at = level.Image + (nint)low * stride;
            LiftLow(at, low > 0 ? at - stride : at + stride, low + 1 < height ? at + stride : at - stride, level.Width, isVectorized);
            if (low > 0) LiftHigh(at - stride, low > 1 ? at - 2 * stride : at, at, level.Width, isVectorized);
        }
        var last = level.Image + (nint)(height - 1) * stride;
        if (((height - 1 + parity) & 1) == 0) return;
        if (height > 1) LiftHigh(last, last - stride, last - stride, level.Width, isVectorized);
        else for (var x = 0; x < level.Width; x++) last[x] >>= 1; // F.3.6: a single high sample is twice the value
    }

    /// <summary>Makes the bands of the image, which is overwritten.</summary>
    public static void Forward(in WaveletLevel level, int* scratch, bool isVectorized, CancellationToken cancellationToken)
    {
        int height = level.Height, parity = level.Y0 & 1, stride = level.ImageStride;
        if (height == 0 || level.Width == 0) return;
        isVectorized &= Avx2.IsSupported;
        if (height == 1)
        {
            if (parity != 0) for (var x = 0; x < level.Width; x++) level.Image[x] <<= 1;
            ForwardRow(level, 0, parity, scratch, isVectorized);
            return;
        }
        for (var row = 0; row <= height; row++)
        {
            // A high row is ready once the low rows around it are read; a low row once both its high rows are.
            var high = row - 1;
            if (high >= 0 && ((high + parity) & 1) != 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var at = level.Image + (nint)high * stride;
                UnliftHigh(at, high > 0 ? at - stride : at + stride, high + 1 < height ? at + stride : at - stride, level.Width, isVectorized);
                if (high > 0)
                {
                    UnliftLow(at - stride, high > 1 ? at - 2 * stride : at, at, level.Width, isVectorized);
                    if (high > 1) ForwardRow(level, high - 2, parity, scratch, isVectorized);
                    ForwardRow(level, high - 1, parity, scratch, isVectorized);
                }
            }
        }
        // What the last high row left: itself, and a low row after it.
        if (((height - 1 + parity) & 1) != 0)
        {
            ForwardRow(level, height - 1, parity, scratch, isVectorized);
            return;
        }
        var last = level.Image + (nint)(height - 1) * stride;
        UnliftLow(last, last - stride, last - stride, level.Width, isVectorized);
        ForwardRow(level, height - 2, parity, scratch, isVectorized);
        ForwardRow(level, height - 1, parity, scratch, isVectorized);
    }

    private static void InverseRow(in WaveletLevel level, int* low, int* high, int* image, int* scratch, bool isVectorized)
    {
        int lows = level.LowColumns, highs = level.HighColumns, parity = level.X0 & 1;
        if (level.Width == 1)
        {
            image[0] = parity == 0 ? low[0] : high[0] >> 1;
            return;
        }
        // One sample is repeated at each end: that is the symmetric extension (F.3.7).
        int* h = scratch + 16, l = scratch + (level.Width >> 1) + 64;
        Buffer.MemoryCopy(high, h, 4L * highs, 4L * highs);
        (h[-1], h[highs]) = (h[0], h[highs - 1]);
        int* before = h - 1 + parity, after = h + parity;
        var i = 0;
        if (isVectorized)
        {
            var two = Vector256.Create(2);
            for (; i < lows; i += 8) (Vector256.Load(low + i) - ((Vector256.Load(before + i) + Vector256.Load(after + i) + two) >> 2)).Store(l + i);
        }
        for (; i < lows; i++) l[i] = low[i] - ((before[i] + after[i] + 2) >> 2);
        (l[-1], l[lows]) = (l[0], l[lows - 1]);
        before = l - parity;
        after = before + 1;
        var pairs = Math.Max(lows, highs);
        i = 0;
        if (isVectorized)
        {
            for (; i < pairs; i += 8)
            {
                var odd = Vector256.Load(h + i) + ((Vector256.Load(before + i) + Vector256.Load(after + i)) >> 1);
                var even = Vector256.Load(l + i);
                var (a, b) = parity == 0 ? (even, odd) : (odd, even);
                Vector256<int> lo = Avx2.UnpackLow(a, b), hi = Avx2.UnpackHigh(a, b);
                Avx2.Permute2x128(lo, hi, 0x20).Store(image + 2 * i);
                Avx2.Permute2x128(lo, hi, 0x31).Store(image + 2 * i + 8);
            }
            return;
        }
        for (; i < pairs; i++)
        {
            if (i < lows) image[2 * i + parity] = l[i];
            if (i < highs) image[2 * i + 1 - parity] = h[i] + ((before[i] + after[i]) >> 1);
        }
    }

    private static void ForwardRow(in WaveletLevel level, int row, int rowParity, int* scratch, bool isVectorized)
    {
        var isLow = ((row + rowParity) & 1) == 0;
        var index = (nint)(row >> 1);
        int* low = isLow ? level.LL + index * level.LLStride : level.LH + index * level.LHStride;
        int* high = isLow ? level.HL + index * level.HLStride : level.HH + index * level.HHStride;
        int* image = level.Image + (nint)row * level.ImageStride;
        int lows = level.LowColumns, highs = level.HighColumns, parity = level.X0 & 1;
        if (level.Width == 1)
        {
            if (parity == 0) low[0] = image[0];
            else high[0] = image[0] << 1;
            return;
        }
        int* h = scratch + 16, l = scratch + (level.Width >> 1) + 64;
        var i = 0;
        if (isVectorized)
        {
            for (; 2 * i < level.Width; i += 8)
            {
                Vector256<int> first = Vector256.Load(image + 2 * i), second = Vector256.Load(image + 2 * i + 8);
                var even = Avx2.Permute4x64(Avx.Shuffle(first.AsSingle(), second.AsSingle(), 0x88).AsInt64(), 0xD8).AsInt32();
                var odd = Avx2.Permute4x64(Avx.Shuffle(first.AsSingle(), second.AsSingle(), 0xDD).AsInt64(), 0xD8).AsInt32();
                (parity == 0 ? even : odd).Store(l + i);
                (parity == 0 ? odd : even).Store(h + i);
            }
        }
        else
        {
            for (; i < lows; i++) l[i] = image[2 * i + parity];
            for (i = 0; i < highs; i++) h[i] = image[2 * i + 1 - parity];
        }
        (l[-1], l[lows]) = (l[0], l[lows - 1]);
        int* before = l - parity, after = l + 1 - parity;
        i = 0;
        if (isVectorized)
        {
            for (; i < highs; i += 8)
            {
                var value = Vector256.Load(h + i) - ((Vector256.Load(before + i) + Vector256.Load(after + i)) >> 1);
                value.Store(h + i);
                value.Store(high + i);
            }
        }
        for (; i < highs; i++) high[i] = h[i] -= (before[i] + after[i]) >> 1;
        (h[-1], h[highs]) = (h[0], h[highs - 1]);
        before = h - 1 + parity;
        after = before + 1;
        i = 0;
        if (isVectorized)
        {
            var two = Vector256.Create(2);
            for (; i < lows; i += 8) (Vector256.Load(l + i) + ((Vector256.Load(before + i) + Vector256.Load(after + i) + two) >> 2)).Store(low + i);
        }
        for (; i < lows; i++) low[i] = l[i] + ((before[i] + after[i] + 2) >> 2);
    }

    private static void LiftLow(int* row, int* above, int* below, int width, bool isVectorized)
    {
        var x = 0;
        if (isVectorized)
        {
            var two = Vector256.Create(2);
            for (; x < width; x += 8) (Vector256.Load(row + x) - ((Vector256.Load(above + x) + Vector256.Load(below + x) + two) >> 2)).Store(row + x);
        }
        for (; x < width; x++) row[x] -= (above[x] + below[x] + 2) >> 2;
    }

    private static void LiftHigh(int* row, int* above, int* below, int width, bool isVectorized)
    {
        var x = 0;
        if (isVectorized)
        {
            for (; x < width; x += 8) (Vector256.Load(row + x) + ((Vector256.Load(above + x) + Vector256.Load(below + x)) >> 1)).Store(row + x);
        }
        for (; x < width; x++) row[x] += (above[x] + below[x]) >> 1;
    }

    private static void UnliftHigh(int* row, int* above, int* below, int width, bool isVectorized)
    {
        var x = 0;
        if (isVectorized)
        {
            for (; x < width; x += 8) (Vector256.Load(row + x) - ((Vector256.Load(above + x) + Vector256.Load(below + x)) >> 1)).Store(row + x);
        }
        for (; x < width; x++) row[x] -= (above[x] + below[x]) >> 1;
    }

    private static void UnliftLow(int* row, int* above, int* below, int width, bool isVectorized)
    {
        var x = 0;
        if (isVectorized)
        {
            var two = Vector256.Create(2);
            for (; x < width; x += 8) (Vector256.Load(row + x) + ((Vector256.Load(above + x) + Vector256.Load(below + x) + two) >> 2)).Store(row + x);
        }
        for (; x < width; x++) row[x] += (above[x] + below[x] + 2) >> 2;
    }
}
