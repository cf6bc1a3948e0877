using System.Numerics;
using NBomber.Contracts.Stats;

namespace NBomber.Running;

/// <summary>
/// Durations and sizes of one step's successes or failures. Durations go into buckets of 1/128 of their power of two (HdrHistogram's way),
/// so that percentiles are right within 0.8 %; minimum, maximum, mean and deviation are exact.
/// </summary>
internal sealed class Measurements
{
    private const int SubBits = 7;

    private readonly Lock _gate = new();
    private readonly int[] _buckets = new int[(64 - SubBits + 1) << SubBits];
    private readonly Dictionary<(string Code, string Message), int> _codes = [];
    private int _count;
    private double _sum, _sumOfSquares;
    private long _min = long.MaxValue, _max, _bytes, _minBytes = long.MaxValue, _maxBytes;

    public int Count
    {
        get
        {
            lock (_gate) return _count;
        }
    }

    public long Bytes
    {
        get
        {
            lock (_gate) return _bytes;
        }
    }

    public void Add(TimeSpan duration, long bytes, string code, string message)
    {
        var microseconds = Math.Max(0, (long)duration.TotalMicroseconds);
        lock (_gate)
        {
            _count++;
            _buckets[BucketOf(microseconds)]++;
            _sum += microseconds;
            _sumOfSquares += (double)microseconds * microseconds;
            (_min, _max) = (Math.Min(_min, microseconds), Math.Max(_max, microseconds));
            _bytes += bytes;
            (_minBytes, _maxBytes) = (Math.Min(_minBytes, bytes), Math.Max(_maxBytes, bytes));
            // Messages can differ with every failure: the first hundred tell enough.
            if (_codes.Count < 100 || _codes.ContainsKey((code, message))) _codes[(code, message)] = _codes.GetValueOrDefault((code, message)) + 1;
        }
    }

    public MeasurementStats ToStats(TimeSpan duration, int all, bool isError)
    {
        lock (_gate)
        {
            var mean = _count == 0 ? 0 : _sum / _count;
            return new MeasurementStats
            {
                Request = new RequestStats { Count = _count, RPS = duration > TimeSpan.Zero ? _count / duration.TotalSeconds : 0, Percent = all == 0 ? 0 : (int)Math.Round(100.0 * _count / all) },
                Latency = _count == 0 ? new LatencyStats() : new LatencyStats
                {
                    MinMs = _min / 1000.0,
                    MeanMs = mean / 1000,
                    MaxMs = _max / 1000.0,
                    Percent50 = Percentile(0.50),
                    Percent75 = Percentile(0.75),
                    Percent95 = Percentile(0.95),
                    Percent99 = Percentile(0.99),
                    StdDev = Math.Sqrt(Math.Max(0, _sumOfSquares / _count - mean * mean)) / 1000,
                },
                DataTransfer = _count == 0 ? new DataTransferStats() : new DataTransferStats { MinBytes = _minBytes, MeanBytes = _bytes / _count, MaxBytes = _maxBytes, AllBytes = _bytes },
                StatusCodes = [.. _codes.OrderByDescending(static code => code.Value).Select(code => new StatusCodeStats { StatusCode = code.Key.Code, Message = code.Key.Message, IsError = isError, Count = code.Value })],
            };
        }
    }

    private static int BucketOf(long value)
    {
        var shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)value | 1) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static double MiddleOf(int bucket)
    {
        var shift = Math.Max(0, (bucket >> SubBits) - 1);
        return (((long)(bucket - (shift << SubBits)) << shift) + ((1L << shift) - 1) / 2.0) / 1000;
    }

    private double Percentile(double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * _count));
        long seen = 0;
        for (var bucket = 0; bucket < _buckets.Length; bucket++)
        {
            seen += _buckets[bucket];
            if (seen >= rank) return Math.Clamp(MiddleOf(bucket), _min / 1000.0, _max / 1000.0);
        }

        return _max / 1000.0;
    }
}
