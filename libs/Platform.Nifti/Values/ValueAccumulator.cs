using System.Numerics;
using System.Runtime.InteropServices;

namespace Platform.Nifti.Values;

/// <summary>
/// Takes voxels as they come, in the machine's byte order, and tells their range: minimum and maximum in the type itself, percentiles from a
/// histogram. Memory does not grow with the volume.
/// </summary>
internal abstract class ValueAccumulator
{
    private const double LowFraction = 0.02;
    private const double HighFraction = 0.98;

    /// <summary>Bytes that belong together: <see cref="Add"/> gets whole multiples.</summary>
    public abstract int UnitBytes { get; }

    public abstract void Add(ReadOnlySpan<byte> voxels);

    /// <summary>The range, each value being <paramref name="slope"/> times what is stored plus <paramref name="intercept"/>.</summary>
    public virtual NiftiValueRange Finish(double slope, double intercept)
    {
        var (min, max, count, notFinite) = Extremes();
        if (count == 0) return new NiftiValueRange(0, 0, 0, 0, 0, notFinite);
        var low = ValueAt((long)Math.Floor(LowFraction * (count - 1)));
        var high = ValueAt((long)Math.Floor(HighFraction * (count - 1)));
        if (slope < 0)
        {
            // The order turns around, and with it the ranks.
            (min, max) = (max, min);
            (low, high) = (ValueAt(count - 1 - (long)Math.Floor(LowFraction * (count - 1))), ValueAt(count - 1 - (long)Math.Floor(HighFraction * (count - 1))));
        }
        double Scale(double stored) => slope * stored + intercept;
        return new NiftiValueRange(Scale(min), Scale(max), Scale(low), Scale(high), count, notFinite);
    }

    /// <summary>The one for a volume; null where values of its type cannot be read.</summary>
    public static ValueAccumulator? For(NiftiHeader header) => header.DataType switch
    {
        NiftiDataType.UInt8 => new ByteAccumulator(isSigned: false),
        NiftiDataType.Int8 => new ByteAccumulator(isSigned: true),
        NiftiDataType.Rgb24 => new ByteAccumulator(isSigned: false, components: 3),
        NiftiDataType.Rgba32 => new ByteAccumulator(isSigned: false, components: 4),
        NiftiDataType.UInt16 => new WordAccumulator(isSigned: false),
        NiftiDataType.Int16 => new WordAccumulator(isSigned: true),
        NiftiDataType.Int32 => new WideAccumulator<int>(isInteger: true),
        NiftiDataType.UInt32 => new WideAccumulator<uint>(isInteger: true),
        NiftiDataType.Int64 => new WideAccumulator<long>(isInteger: true),
        NiftiDataType.UInt64 => new WideAccumulator<ulong>(isInteger: true),
        NiftiDataType.Float32 => new WideAccumulator<float>(isInteger: false),
        NiftiDataType.Float64 => new WideAccumulator<double>(isInteger: false),
        NiftiDataType.Complex64 => new ComplexAccumulator<float>(header.Slope, header.Intercept),
        NiftiDataType.Complex128 => new ComplexAccumulator<double>(header.Slope, header.Intercept),
        _ => null,
    };

    protected abstract (double Min, double Max, long Count, long NotFinite) Extremes();

    /// <summary>The value at a 0-based rank of all values in ascending order.</summary>
    protected abstract double ValueAt(long rank);

    private protected static int BinAt(ReadOnlySpan<long> histogram, long rank, out long rankInBin)
    {
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            if (rank < histogram[bin])
            {
                rankInBin = rank;
                return bin;
            }
            rank -= histogram[bin];
        }
        throw new InvalidOperationException("The rank is beyond the values.");
    }
}

/// <summary>8 bits: every value is counted. Four tables, because a run of equal values would wait for its own counter.</summary>
internal sealed class ByteAccumulator(bool isSigned, int components = 1) : ValueAccumulator
{
    private readonly long[] _counts = new long[4 * 256];
    private readonly long[] _sum = new long[256];

    public override int UnitBytes => components == 4 ? 4 : 1;

    public override void Add(ReadOnlySpan<byte> voxels)
    {
        Span<long> counts = _counts;
        if (components == 4)
        {
            for (var i = 0; i + 3 < voxels.Length; i += 4)
            {
                counts[voxels[i]]++;
                counts[256 + voxels[i + 1]]++;
                counts[512 + voxels[i + 2]]++;
            }
            return;
        }
        var at = 0;
        for (; at + 3 < voxels.Length; at += 4)
        {
            counts[voxels[at]]++;
            counts[256 + voxels[at + 1]]++;
            counts[512 + voxels[at + 2]]++;
            counts[768 + voxels[at + 3]]++;
        }
        for (; at < voxels.Length; at++) counts[voxels[at]]++;
    }

    protected override (double Min, double Max, long Count, long NotFinite) Extremes()
    {
        // In ascending order: -128 comes first.
        for (var i = 0; i < 256; i++) _sum[isSigned ? i ^ 0x80 : i] = _counts[i] + _counts[256 + i] + _counts[512 + i] + _counts[768 + i];
        var count = _sum.Sum();
        return count == 0 ? default : (ValueOf(Array.FindIndex(_sum, static n => n > 0)), ValueOf(Array.FindLastIndex(_sum, static n => n > 0)), count, 0);
    }

    protected override double ValueAt(long rank) => ValueOf(BinAt(_sum, rank, out _));

    private double ValueOf(int bin) => isSigned ? bin - 128 : bin;
}

/// <summary>16 bits: every value is counted, neighbours in different tables.</summary>
internal sealed class WordAccumulator(bool isSigned) : ValueAccumulator
{
    private const int Values = 1 << 16;
    private readonly long[] _even = new long[Values];
    private readonly long[] _odd = new long[Values];
    private long[] _sum = [];

    public override int UnitBytes => 2;

    public override void Add(ReadOnlySpan<byte> voxels)
    {
        var words = MemoryMarshal.Cast<byte, ushort>(voxels);
        long[] even = _even, odd = _odd;
        var i = 0;
        for (; i + 1 < words.Length; i += 2)
        {
            even[words[i]]++;
            odd[words[i + 1]]++;
        }
        if (i < words.Length) even[words[i]]++;
    }

    protected override (double Min, double Max, long Count, long NotFinite) Extremes()
    {
        _sum = new long[Values];
        for (var i = 0; i < Values; i++) _sum[isSigned ? i ^ 0x8000 : i] = _even[i] + _odd[i];
        var count = _sum.Sum();
        return count == 0 ? default : (ValueOf(Array.FindIndex(_sum, static n => n > 0)), ValueOf(Array.FindLastIndex(_sum, static n => n > 0)), count, 0);
    }

    protected override double ValueAt(long rank) => ValueOf(BinAt(_sum, rank, out _));

    private double ValueOf(int bin) => isSigned ? bin - 32768 : bin;
}

/// <summary>Counts numbers in bins of equal relative width: sign, exponent and the first nine bits of a float32's fraction, so 1/512 wide.</summary>
internal sealed class FloatHistogram
{
    private const int DroppedBits = 14;
    private readonly long[] _counts = new long[1 << (32 - DroppedBits)];

    /// <summary>Counts a number; one beyond float32's range as the last within.</summary>
    public void Add(float value) => _counts[KeyOf(Math.Clamp(value, float.MinValue, float.MaxValue)) >> DroppedBits]++;

    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>The value at a rank, as if a bin's values were spread evenly over it.</summary>
    public double ValueAt(int bin, long rankInBin, bool isInteger)
    {
        var first = (double)ValueOf((uint)bin << DroppedBits);
        var last = (double)ValueOf(((uint)bin << DroppedBits) | ((1u << DroppedBits) - 1));
        var value = first + (last - first) * ((rankInBin + 0.5) / _counts[bin]);
        // A whole number's bin begins (above 0) or ends (below) with it: up to 1,024 they are exact.
        return isInteger ? Math.Truncate(value) : value;
    }

    // Floats order like integers once negative ones are turned around.
    private static uint KeyOf(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return (uint)(bits ^ ((bits >> 31) | int.MinValue));
    }

    private static float ValueOf(uint key) =>
        BitConverter.UInt32BitsToSingle((key & 0x80000000) != 0 ? key ^ 0x80000000 : ~key);
}

/// <summary>32 and 64 bits: extremes by vectors in the type itself, percentiles by <see cref="FloatHistogram"/>.</summary>
internal sealed class WideAccumulator<T>(bool isInteger) : ValueAccumulator
    where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    private readonly FloatHistogram _histogram = new();
    private T _min = T.MaxValue;
    private T _max = T.MinValue;
    private long _count;
    private long _notFinite;

    public override unsafe int UnitBytes => sizeof(T);

    public override void Add(ReadOnlySpan<byte> voxels)
    {
        var values = MemoryMarshal.Cast<byte, T>(voxels);
        AddExtremes(values);
        foreach (var value in values)
        {
            if (!T.IsFinite(value))
            {
                _notFinite++;
                continue;
            }
            _count++;
            _histogram.Add(float.CreateSaturating(value));
        }
    }

    protected override (double Min, double Max, long Count, long NotFinite) Extremes() =>
        (_count == 0 ? 0 : double.CreateSaturating(_min), _count == 0 ? 0 : double.CreateSaturating(_max), _count, _notFinite);

    protected override double ValueAt(long rank)
    {
        var bin = BinAt(_histogram.Counts, rank, out var inBin);
        return Math.Clamp(_histogram.ValueAt(bin, inBin, isInteger), double.CreateSaturating(_min), double.CreateSaturating(_max));
    }

    private void AddExtremes(ReadOnlySpan<T> values)
    {
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
        if (vectors.Length > 0)
        {
            var (least, greatest) = (new Vector<T>(T.MaxValue), new Vector<T>(T.MinValue));
            var (mostMin, mostMax) = (least, greatest);
            foreach (var vector in vectors)
            {
                // NaN compares false with everything, an infinity lies outside: neither is taken.
                var isFinite = isInteger ? Vector<T>.AllBitsSet : Vector.BitwiseAnd(Vector.GreaterThanOrEqual(vector, greatest), Vector.LessThanOrEqual(vector, least));
                mostMin = Vector.Min(mostMin, Vector.ConditionalSelect(isFinite, vector, least));
                mostMax = Vector.Max(mostMax, Vector.ConditionalSelect(isFinite, vector, greatest));
            }
            for (var i = 0; i < Vector<T>.Count; i++)
            {
                _min = T.Min(_min, mostMin[i]);
                _max = T.Max(_max, mostMax[i]);
            }
        }
        foreach (var value in values[(vectors.Length * Vector<T>.Count)..])
        {
            if (!T.IsFinite(value)) continue;
            _min = T.Min(_min, value);
            _max = T.Max(_max, value);
        }
    }
}

/// <summary>Pairs of floats: their magnitude, scaled before it is taken.</summary>
internal sealed class ComplexAccumulator<T>(double slope, double intercept) : ValueAccumulator
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly FloatHistogram _histogram = new();
    private double _min = double.MaxValue;
    private double _max;
    private long _count;
    private long _notFinite;

    public override unsafe int UnitBytes => 2 * sizeof(T);

    public override void Add(ReadOnlySpan<byte> voxels)
    {
        var parts = MemoryMarshal.Cast<byte, T>(voxels);
        for (var i = 0; i + 1 < parts.Length; i += 2)
        {
            var magnitude = double.Hypot(slope * double.CreateSaturating(parts[i]) + intercept, slope * double.CreateSaturating(parts[i + 1]));
            if (!double.IsFinite(magnitude))
            {
                _notFinite++;
                continue;
            }
            _count++;
            _min = Math.Min(_min, magnitude);
            _max = Math.Max(_max, magnitude);
            _histogram.Add((float)magnitude);
        }
    }

    public override NiftiValueRange Finish(double slope, double intercept) => base.Finish(1, 0);

    protected override (double Min, double Max, long Count, long NotFinite) Extremes() => (_count == 0 ? 0 : _min, _max, _count, _notFinite);

    protected override double ValueAt(long rank)
    {
        var bin = BinAt(_histogram.Counts, rank, out var inBin);
        return Math.Clamp(_histogram.ValueAt(bin, inBin, isInteger: false), _min, _max);
    }
}
