using System.Numerics;

namespace PerfTests.Measuring;

/// <summary>
/// Counts durations in buckets whose width is at most 1/1024 of their value, from one nanosecond to over an hour: any
/// percentile is right within 0.1 %, and recording is one addition. Not thread-safe: one per thread, then <see cref="Add"/>.
/// </summary>
internal sealed class HdrRecorder
{
    private const int HalfBits = 10;                        // 1024 buckets per power of two
    private const int Half = 1 << HalfBits;
    private const int MaxBits = 42;                         // 2^42 ns = 73 minutes
    private static readonly long Largest = (1L << MaxBits) - 1;

    private readonly long[] _counts = new long[(MaxBits - HalfBits + 1) * Half];

    /// <summary>How many were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>The largest, exactly, in nanoseconds; 0 when empty.</summary>
    public long MaxNanoseconds { get; private set; }

    /// <summary>The smallest, exactly, in nanoseconds; 0 when empty.</summary>
    public long MinNanoseconds { get; private set; }

    private double _sum;

    /// <summary>The mean in nanoseconds; 0 when empty.</summary>
    public double MeanNanoseconds => Count == 0 ? 0 : _sum / Count;

    /// <summary>Records a duration; negative ones count as 0, those over 73 minutes as 73 minutes.</summary>
    public void Record(long nanoseconds)
    {
        nanoseconds = Math.Clamp(nanoseconds, 0, Largest);
        _counts[IndexOf(nanoseconds)]++;
        _sum += nanoseconds;
        MinNanoseconds = Count == 0 ? nanoseconds : Math.Min(MinNanoseconds, nanoseconds);
        MaxNanoseconds = Math.Max(MaxNanoseconds, nanoseconds);
        Count++;
    }

    /// <summary>Adds what another recorded.</summary>
    public void Add(HdrRecorder other)
    {
        if (other.Count == 0) return;
        for (var i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        MinNanoseconds = Count == 0 ? other.MinNanoseconds : Math.Min(MinNanoseconds, other.MinNanoseconds);
        MaxNanoseconds = Math.Max(MaxNanoseconds, other.MaxNanoseconds);
        _sum += other._sum;
        Count += other.Count;
    }

    /// <summary>
    /// The value that <paramref name="percent"/> (0 to 100) of the recorded are not above, in nanoseconds: the top of
    /// its bucket, never above the maximum. 0 when empty.
    /// </summary>
    public long GetPercentile(double percent)
    {
        if (Count == 0) return 0;
        var rank = Math.Max(1, (long)Math.Ceiling(Math.Clamp(percent, 0, 100) / 100 * Count));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank) return Math.Max(MinNanoseconds, Math.Min(TopOf(i), MaxNanoseconds));
        }

        return MaxNanoseconds;
    }

    private static int IndexOf(long value)
    {
        if (value < 2 * Half) return (int)value;
        var shift = BitOperations.Log2((ulong)value) - HalfBits;
        return (shift + 1) * Half + (int)(value >> shift) - Half;
    }

    private static long TopOf(int index)
    {
        if (index < 2 * Half) return index;
        var shift = index / Half - 1;
        var from = (long)(index % Half + Half) << shift;
        return from + (1L << shift) - 1;
    }
}
