using System.Text.Json;
using System.Text.Json.Serialization;

namespace PerfTests.Report;

/// <summary>
/// What a measurement found: the one format that every kind of run reports in. PerfTests/README.md describes the
/// fields; tests hold the round trip and the names.
/// </summary>
internal sealed record ResultFile
{
    public const string CurrentFormat = "platform-results/1";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Format { get; init; } = CurrentFormat;

    /// <summary>What was measured, in a few words; the file's name after its date.</summary>
    public required string Name { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public double DurationSeconds { get; init; }

    /// <summary>The commit of this repository; <see cref="IsModified"/> when the tree differed from it.</summary>
    public required string Commit { get; init; }

    public bool IsModified { get; init; }

    public required Machine Machine { get; init; }

    public int Seed { get; init; }

    /// <summary>What the run was asked for, by name: rounds, connections, rates, the data and its size.</summary>
    public required SortedDictionary<string, string> Parameters { get; init; }

    /// <summary>Who was measured: name, and software with its version where it said so.</summary>
    public required SortedDictionary<string, string> Targets { get; init; }

    public required List<Measurement> Measurements { get; init; }

    /// <summary>How the targets compare, computed round by round and then summed up.</summary>
    public List<Ratio> Ratios { get; init; } = [];

    public static ResultFile Read(string path)
    {
        using var stream = File.OpenRead(path);
        return Read(stream);
    }

    /// <exception cref="InvalidDataException">It is not a result file of this format.</exception>
    public static ResultFile Read(Stream stream)
    {
        try
        {
            var file = JsonSerializer.Deserialize<ResultFile>(stream, Json) ?? throw new InvalidDataException("The file holds no result.");
            return file.Format == CurrentFormat ? file : throw new InvalidDataException($"The format '{file.Format}' is not '{CurrentFormat}'.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"No result file: {exception.Message}", exception);
        }
    }

    public void Write(Stream stream)
    {
        JsonSerializer.Serialize(stream, this, Json);
        stream.WriteByte((byte)'\n');
    }

    /// <summary>Writes <c>folder/date-name.json</c>, never over another; returns its path.</summary>
    public string WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        var stem = Path.Combine(folder, $"{StartedAt.UtcDateTime:yyyy-MM-dd}-{Name}");
        for (var number = 1; ; number++)
        {
            var path = number == 1 ? stem + ".json" : $"{stem}-{number}.json";
            try
            {
                using var stream = new FileStream(path, FileMode.CreateNew);
                Write(stream);
                return path;
            }
            catch (IOException) when (File.Exists(path))
            {
            }
        }
    }
}

/// <summary>One number for each round of one measure of one target under one condition.</summary>
internal sealed record Measurement
{
    /// <summary>What was done ("frames", "metadata", "store", "start", "parse", or a benchmark's name).</summary>
    public required string Scenario { get; init; }

    public required string Target { get; init; }

    /// <summary>What was counted ("requests per second", "latency", "wall time", "bytes on the wire", "allocated").</summary>
    public required string Measure { get; init; }

    /// <summary>UCUM: "1/s", "ms", "By", "By/s", "MB".</summary>
    public required string Unit { get; init; }

    /// <summary>What distinguishes this from the same measure under other conditions, by name: connections, loop, rate, coding.</summary>
    public SortedDictionary<string, string> Conditions { get; init; } = [];

    /// <summary>Requests or operations in each round.</summary>
    public long N { get; init; }

    public long Errors { get; init; }

    /// <summary>One value per round, in order.</summary>
    public required List<double> Rounds { get; init; }

    public double Median { get; init; }

    public double Min { get; init; }

    public double Max { get; init; }

    /// <summary>Of all rounds together, in <see cref="Unit"/>: "p50", "p90", "p99", "p99.9", "max". For latencies.</summary>
    public SortedDictionary<string, double>? Percentiles { get; init; }

    [JsonIgnore]
    public string ConditionText => string.Join(", ", Conditions.Select(c => $"{c.Value} {c.Key}"));

    public static Measurement Of(string scenario, string target, string measure, string unit, IReadOnlyDictionary<string, string> conditions,
        long n, long errors, IReadOnlyList<double> rounds, SortedDictionary<string, double>? percentiles = null) => new()
        {
            Scenario = scenario,
            Target = target,
            Measure = measure,
            Unit = unit,
            Conditions = new(conditions.ToDictionary(), StringComparer.Ordinal),
            N = n,
            Errors = errors,
            Rounds = [.. rounds.Select(Round)],
            Median = Round(Statistics.Median(rounds)),
            Min = Round(rounds.Min()),
            Max = Round(rounds.Max()),
            Percentiles = percentiles,
        };

    internal static double Round(double value) => value == 0 || !double.IsFinite(value) ? 0 : double.Parse(value.ToString("G6"));
}

/// <summary>One target over another, same scenario, measure and condition.</summary>
internal sealed record Ratio
{
    public required string Scenario { get; init; }

    public required string Measure { get; init; }

    public SortedDictionary<string, string> Conditions { get; init; } = [];

    public required string Of { get; init; }

    public required string To { get; init; }

    /// <summary>The ratio within each round: both ran within it, so what else the machine did hit both.</summary>
    public required List<double> Rounds { get; init; }

    public double Median { get; init; }

    public double Min { get; init; }

    public double Max { get; init; }

    /// <summary>The ratios of the first target to each other one, wherever both have the same number of rounds.</summary>
    public static List<Ratio> Compute(IReadOnlyList<Measurement> measurements, string of)
    {
        var ratios = new List<Ratio>();
        foreach (var ours in measurements.Where(m => m.Target == of))
        {
            foreach (var other in measurements.Where(m => m.Target != of && m.Scenario == ours.Scenario && m.Measure == ours.Measure
                && m.Rounds.Count == ours.Rounds.Count && m.ConditionText == ours.ConditionText))
            {
                var rounds = ours.Rounds.Zip(other.Rounds, (a, b) => b == 0 ? 0 : a / b).ToList();
                ratios.Add(new Ratio
                {
                    Scenario = ours.Scenario,
                    Measure = ours.Measure,
                    Conditions = ours.Conditions,
                    Of = of,
                    To = other.Target,
                    Rounds = [.. rounds.Select(Measurement.Round)],
                    Median = Measurement.Round(Statistics.Median(rounds)),
                    Min = Measurement.Round(rounds.Min()),
                    Max = Measurement.Round(rounds.Max()),
                });
            }
        }

        return ratios;
    }
}

internal static class Statistics
{
    public static double Median(IReadOnlyList<double> values)
    {
        if (values.Count == 0) return 0;
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
