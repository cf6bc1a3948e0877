using System.Globalization;
using PerfTests.Client;
using PerfTests.Measuring;
using PerfTests.Report;

namespace PerfTests.Versus;

/// <summary>
/// Runs conditions against targets in turns: within each round every target has its go, in an order that rotates, so
/// that what else the machine does hits all of them alike. Collects a row per target, measure and condition.
/// </summary>
internal sealed class VersusRun(int rounds, CancellationToken cancellationToken)
{
    private readonly Dictionary<(string Scenario, string Target, string Measure, string Conditions), Row> _rows = [];

    private sealed class Row
    {
        public required string Scenario, Target, Measure, Unit;
        public required IReadOnlyDictionary<string, string> Conditions;
        public List<double> Rounds { get; } = [];
        public HdrRecorder? Latency { get; set; }
        public long N { get; set; }
        public long Errors { get; set; }
    }

    public int Rounds => rounds;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Calls <paramref name="measure"/> for every target in every round; the round's number is zero-based.</summary>
    public void Interleave<T>(string title, IReadOnlyList<T> targets, Action<T, int> measure)
    {
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < targets.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                measure(targets[(i + round) % targets.Count], round);
            }

            Console.Error.WriteLine($"{title}: round {round + 1} of {rounds}");
        }
    }

    public void Add(string scenario, string target, string measure, string unit, IReadOnlyDictionary<string, string> conditions, double value, long n, long errors = 0, HdrRecorder? latency = null)
    {
        var key = (scenario, target, measure, string.Join(';', conditions.OrderBy(c => c.Key, StringComparer.Ordinal)));
        if (!_rows.TryGetValue(key, out var row))
            _rows[key] = row = new Row { Scenario = scenario, Target = target, Measure = measure, Unit = unit, Conditions = conditions };
        row.Rounds.Add(value);
        row.N = n;
        row.Errors += errors;
        if (latency is null) return;
        row.Latency ??= new HdrRecorder();
        row.Latency.Add(latency);
    }

    /// <summary>Adds throughput, latency and size of a run of requests.</summary>
    public void Add(string scenario, string target, IReadOnlyDictionary<string, string> conditions, LoadResult load, bool withThroughput = true)
    {
        if (load.FirstError is not null) Console.Error.WriteLine($"{target}, {scenario}: {load.Errors} errors, first: {load.FirstError}");
        if (withThroughput) Add(scenario, target, "requests per second", "1/s", conditions, load.RequestsPerSecond, load.Requests, load.Errors);
        Add(scenario, target, "latency", "ms", conditions, load.Latency.GetPercentile(50) / 1e6, load.Requests, load.Errors, load.Latency);
        Add(scenario, target, "bytes on the wire per answer", "By", conditions, Math.Round((load.BodyBytes + load.HeaderBytes) / (double)Math.Max(1, load.Requests)), load.Requests);
    }

    public List<Measurement> GetMeasurements() => [.. _rows.Values.Select(row => Measurement.Of(row.Scenario, row.Target, row.Measure, row.Unit, row.Conditions,
        row.N, row.Errors, row.Rounds, row.Latency is { } latency ? Percentiles(latency) : null))];

    public static Dictionary<string, string> Conditions(params ReadOnlySpan<(string Name, object Value)> values)
    {
        var conditions = new Dictionary<string, string>();
        foreach (var (name, value) in values) conditions[name] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return conditions;
    }

    private static SortedDictionary<string, double> Percentiles(HdrRecorder latency)
    {
        var percentiles = new SortedDictionary<string, double>(StringComparer.Ordinal) { ["max"] = Measurement.Round(latency.MaxNanoseconds / 1e6) };
        foreach (var percent in (double[])[50, 90, 99, 99.9, 99.99])
            percentiles[string.Create(CultureInfo.InvariantCulture, $"p{percent}")] = Measurement.Round(latency.GetPercentile(percent) / 1e6);
        return percentiles;
    }
}
