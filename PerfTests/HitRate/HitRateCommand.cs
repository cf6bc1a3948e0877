using System.CommandLine;
using System.Globalization;
using PerfTests.Report;

namespace PerfTests.HitRate;

/// <summary><c>hitrate</c>: plays traces against the memory tier's eviction policy, LRU and Belady's rule.</summary>
internal static class HitRateCommand
{
    private const string Ours = "ours", OursTwice = "ours twice", Lru = "lru", Belady = "belady", Bound = "bound";
    private const long DiskBytes = 1 << 30;

    public static Command Create()
    {
        var seed = new Option<int>("--seed") { Description = "Seeds the traces.", DefaultValueFactory = _ => 1 };
        var only = new Option<string?>("--trace") { Description = "Only traces with this in their name." };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "hitrate" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        var command = new Command("hitrate", "Play traces against the eviction policy, LRU and Belady's rule.") { seed, only, name, results };
        command.SetAction(parse =>
        {
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var traces = Traces.All(parse.GetValue(seed)).Where(t => parse.GetValue(only) is not { } part || t.Name.Contains(part, StringComparison.OrdinalIgnoreCase)).ToList();
            var measurements = traces.SelectMany(Measure).ToList();
            var (commit, isModified) = Commit.Read();
            var result = new ResultFile
            {
                Name = parse.GetValue(name)!,
                StartedAt = startedAt,
                DurationSeconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1),
                Commit = commit,
                IsModified = isModified,
                Machine = machine,
                Seed = parse.GetValue(seed),
                Parameters = new(StringComparer.Ordinal) { ["memory"] = "64 MB", ["disk"] = "1 GB, least recently used by bytes" },
                Targets = new(StringComparer.Ordinal)
                {
                    [Ours] = "the memory tier's policy; with a disk: over an LRU of its bytes",
                    [OursTwice] = "the memory tier's policy on the disk too",
                    [Lru] = "least recently used by bytes; with a disk: over another",
                    [Belady] = "the future known: what is needed last goes; with a disk: in the bytes of both",
                    [Bound] = "PFOO-U: no policy hits more",
                },
                Measurements = measurements,
                Ratios = Ratio.Compute(measurements, Ours),
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } folder) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(folder.FullName)));
            return 0;
        });
        return command;
    }

    /// <summary>Hit rates in percent, by request and by byte, in memory alone; for viewer sessions also with a disk beneath.</summary>
    internal static IEnumerable<Measurement> Measure(Trace trace)
    {
        var bytes = trace.MemoryBytes;
        var rows = Play(trace, "memory", bytes, (Ours, new OurPolicy(bytes)), (Lru, new Lru(bytes)));
        return trace.Name.StartsWith("viewer", StringComparison.Ordinal)
            ? rows.Concat(Play(trace, "memory and disk", bytes + DiskBytes,
                (Ours, new Hierarchy(new OurPolicy(bytes), new Lru(DiskBytes))),
                (OursTwice, new Hierarchy(new OurPolicy(bytes), new OurPolicy(DiskBytes))),
                (Lru, new Hierarchy(new Lru(bytes), new Lru(DiskBytes)))))
            : rows;
    }

    private static IEnumerable<Measurement> Play(Trace trace, string tiers, long capacityBytes, params (string Target, ICachePolicy Policy)[] policies)
    {
        var rates = new List<(string Target, double ByRequest, double ByByte)>();
        foreach (var (target, policy) in policies.Append((Belady, new Belady(capacityBytes, trace))))
        {
            long hits = 0, bytes = 0;
            foreach (var access in trace.Accesses)
            {
                if (!policy.Ask(access)) continue;
                hits++;
                bytes += access.Bytes;
            }

            rates.Add((target, (double)hits / trace.Accesses.Length, (double)bytes / trace.Bytes));
        }

        var (byRequest, byByte) = HitRate.Bound.Of(trace, capacityBytes);
        rates.Add((Bound, byRequest, byByte));
        var conditions = new Dictionary<string, string>
        {
            ["in"] = tiers,
            ["requests"] = trace.Accesses.Length.ToString(CultureInfo.InvariantCulture),
            ["MB of items"] = (trace.UniqueBytes >> 20).ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (target, requests, _) in rates) yield return Measurement.Of(trace.Name, target, "hits by request", "%", conditions, trace.Accesses.Length, 0, [100 * requests]);
        foreach (var (target, _, share) in rates) yield return Measurement.Of(trace.Name, target, "hits by byte", "%", conditions, trace.Accesses.Length, 0, [100 * share]);
    }
}
