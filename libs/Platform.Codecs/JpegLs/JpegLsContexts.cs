using System.Runtime.CompilerServices;

namespace Platform.Codecs.JpegLs;

/// <summary>What one context of the regular mode has learnt (T.87 A.2.1): sums of errors, bias, count, correction.</summary>
internal struct RegularContext
{
    /// <summary>Beyond what any valid stream needs: errors have 16 bits.</summary>
    public const int MaxK = 24;

    public int A, B, C, N;

    /// <summary>The Golomb parameter (A.5.1): the smallest k with N * 2^k >= A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int GetK()
    {
        var k = 0;
        for (var n = N; n < A && k < MaxK; n <<= 1) k++;
        return k;
    }

    /// <summary>Learns from an error (A.6).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update(int error, int step, int reset)
    {
        var a = A + Math.Abs(error);
        var b = B + error * step;
        var n = N;
        if (n == reset)
        {
            a >>= 1;
            b >>= 1;
            n >>= 1;
        }

        n++;
        if (b <= -n)
        {
            b += n;
            if (C > -128) C--;
            if (b <= -n) b = 1 - n;
        }
        else if (b > 0)
        {
            b -= n;
            if (C < 127) C++;
            if (b > 0) b = 0;
        }

        (A, B, N) = (a, b, n);
    }
}

/// <summary>What a context of the run interruption has learnt (A.7.2).</summary>
internal struct RunContext
{
    public int A, N, Negatives;

    public readonly int GetK(int type)
    {
        var sum = A + (type == 0 ? 0 : N >> 1);
        var k = 0;
        for (var n = N; n < sum && k < RegularContext.MaxK; n <<= 1) k++;
        return k;
    }

    public void Update(int error, int mapped, int type, int reset)
    {
        if (error < 0) Negatives++;
        A += (mapped + 1 - type) >> 1;
        if (N == reset)
        {
            A >>= 1;
            N >>= 1;
            Negatives >>= 1;
        }

        N++;
    }
}

/// <summary>The state of a scan: its contexts, and the table of gradients. Kept and used again.</summary>
internal sealed class JpegLsState
{
    public const int RegularContexts = 365;

    // A.7.1.1: the order of the run segments.
    private static ReadOnlySpan<byte> RunOrders => [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    // Tables for lossless samples of whole bits with default thresholds, which is what nearly everybody writes: at most 128 KB each.
    private static readonly sbyte[]?[] CommonTables = new sbyte[17][];

    public readonly RegularContext[] Regular = new RegularContext[RegularContexts];
    public readonly RunContext[] Run = new RunContext[2];

    public JpegLsParameters Parameters { get; private set; }

    /// <summary>The region of gradient d at index d + MAXVAL.</summary>
    public sbyte[] Gradients { get; private set; } = [];

    /// <summary>Starts on a scan: nothing is learnt.</summary>
    public void Begin(in JpegLsParameters parameters)
    {
        if (Gradients.Length == 0 || parameters != Parameters) Gradients = TableOf(parameters);
        Parameters = parameters;
        var first = Math.Max(2, (parameters.Range + 32) / 64);
        Regular.AsSpan().Fill(new RegularContext { A = first, N = 1 });
        Run.AsSpan().Fill(new RunContext { A = first, N = 1 });
    }

    public static int RunOrder(int runIndex) => RunOrders[runIndex];

    private static sbyte[] TableOf(in JpegLsParameters parameters)
    {
        var isCommon = parameters.IsPlainLossless && parameters.HasDefaultThresholds;
        if (isCommon && Volatile.Read(ref CommonTables[parameters.QuantizedBits]) is { } common) return common;
        var table = new sbyte[2 * parameters.MaxValue + 1];
        for (var i = 0; i < table.Length; i++) table[i] = parameters.Quantize(i - parameters.MaxValue);
        if (isCommon) Volatile.Write(ref CommonTables[parameters.QuantizedBits], table);
        return table;
    }
}
