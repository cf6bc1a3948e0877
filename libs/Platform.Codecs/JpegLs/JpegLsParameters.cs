using System.Numerics;

namespace Platform.Codecs.JpegLs;

/// <summary>The coding parameters of a scan (T.87 C.2.4.1.1, A.2.1).</summary>
internal readonly record struct JpegLsParameters
{
    public const int DefaultReset = 64;

    /// <summary>Parameters for samples of 0 to <paramref name="maxValue"/>; a threshold or reset of 0 stands for its default.</summary>
    /// <exception cref="InvalidFrameException">A value lies outside of its range (table C.1).</exception>
    public JpegLsParameters(int maxValue, int near, int t1 = 0, int t2 = 0, int t3 = 0, int reset = 0)
    {
        if (maxValue is < 1 or > ushort.MaxValue) throw new InvalidFrameException($"A largest sample of {maxValue} is none.");
        if (near < 0 || near > Math.Min(255, maxValue / 2)) throw new InvalidFrameException($"An allowed error of {near} is none for samples up to {maxValue}.");
        (MaxValue, Near) = (maxValue, near);
        var (d1, d2, d3) = DefaultThresholds(maxValue, near);
        T1 = t1 == 0 ? d1 : t1;
        T2 = t2 == 0 ? d2 : t2;
        T3 = t3 == 0 ? d3 : t3;
        Reset = reset == 0 ? DefaultReset : reset;
        if (T1 <= near || T1 > T2 || T2 > T3 || T3 > maxValue) throw new InvalidFrameException($"The thresholds {T1}, {T2}, {T3} are out of order.");
        if (Reset < 3 || Reset > Math.Max(255, maxValue)) throw new InvalidFrameException($"A reset of {Reset} is none.");
        Range = (maxValue + 2 * near) / (2 * near + 1) + 1;
        QuantizedBits = CeilLog2(Range);
        var bits = Math.Max(2, CeilLog2(maxValue + 1));
        Limit = 2 * (bits + Math.Max(8, bits));
    }

    /// <summary>MAXVAL: the largest sample, 1 to 65,535.</summary>
    public int MaxValue { get; }

    /// <summary>NEAR: the largest error, 0 for lossless.</summary>
    public int Near { get; }

    public int T1 { get; }

    public int T2 { get; }

    public int T3 { get; }

    /// <summary>RESET: after so many samples a context's counts are halved.</summary>
    public int Reset { get; }

    /// <summary>RANGE: how many errors can be told apart.</summary>
    public int Range { get; }

    /// <summary>qbpp: bits of an error.</summary>
    public int QuantizedBits { get; }

    /// <summary>LIMIT: the longest code in bits.</summary>
    public int Limit { get; }

    /// <summary>Errors are exact and wrap at a power of two: the fast road.</summary>
    public bool IsPlainLossless => Near == 0 && BitOperations.IsPow2(Range);

    public bool HasDefaultThresholds => (T1, T2, T3) == DefaultThresholds(MaxValue, Near);

    /// <summary>A gradient's region, -4 to 4 (A.3.3).</summary>
    public sbyte Quantize(int gradient)
    {
        if (gradient <= -T3) return -4;
        if (gradient <= -T2) return -3;
        if (gradient <= -T1) return -2;
        if (gradient < -Near) return -1;
        if (gradient <= Near) return 0;
        if (gradient < T1) return 1;
        if (gradient < T2) return 2;
        return gradient < T3 ? (sbyte)3 : (sbyte)4;
    }

    /// <summary>C.2.4.1.1.1.</summary>
    private static (int T1, int T2, int T3) DefaultThresholds(int maxValue, int near)
    {
        int t1, t2, t3;
        if (maxValue >= 128)
        {
            var factor = (Math.Min(maxValue, 4095) + 128) / 256;
            t1 = Clamp(factor * (3 - 2) + 2 + 3 * near, near + 1, maxValue);
            t2 = Clamp(factor * (7 - 3) + 3 + 5 * near, t1, maxValue);
            t3 = Clamp(factor * (21 - 4) + 4 + 7 * near, t2, maxValue);
        }
        else
        {
            var factor = 256 / (maxValue + 1);
            t1 = Clamp(Math.Max(2, 3 / factor + 3 * near), near + 1, maxValue);
            t2 = Clamp(Math.Max(3, 7 / factor + 5 * near), t1, maxValue);
            t3 = Clamp(Math.Max(4, 21 / factor + 7 * near), t2, maxValue);
        }

        return (t1, t2, t3);

        static int Clamp(int value, int lowest, int maxValue) => value > maxValue || value < lowest ? lowest : value;
    }

    private static int CeilLog2(int value) => value <= 1 ? 0 : 32 - BitOperations.LeadingZeroCount((uint)(value - 1));
}
