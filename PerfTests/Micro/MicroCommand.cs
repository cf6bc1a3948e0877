using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PerfTests.Report;
using Measurement = PerfTests.Report.Measurement;

namespace PerfTests.Micro;

/// <summary><c>micro</c>: the BenchmarkDotNet suites, their times and allocations also in the common result format.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        var filter = new Option<string[]>("--filter") { Description = "Globs of benchmarks to run, as *CacheHit*; all without it.", AllowMultipleArgumentsPerToken = true };
        var quick = new Option<bool>("--quick") { Description = "In this process and briefly: for a look, not for publishing." };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder." };
        var name = new Option<string>("--name") { DefaultValueFactory = _ => "micro", Description = "The result file's name." };
        var maxAllocated = new Option<string[]>("--max-allocated") { Description = "PATTERN=BYTES: fail when a benchmark whose name contains PATTERN allocates more per operation. May be given again." };
        var command = new Command("micro", "Microbenchmarks (BenchmarkDotNet).") { filter, quick, results, name, maxAllocated };
        command.SetAction(parse => Run(parse.GetValue(filter) ?? [], parse.GetValue(quick), parse.GetValue(results)?.FullName, parse.GetValue(name)!, parse.GetValue(maxAllocated) ?? []));
        return command;
    }

    private static int Run(string[] filters, bool isQuick, string? folder, string name, string[] limits)
    {
        var startedAt = TimeProvider.System.GetUtcNow();
        var started = TimeProvider.System.GetTimestamp();
        var job = isQuick ? Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance) : Job.Default;
        var config = ManualConfig.Create(DefaultConfig.Instance).AddJob(job).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "platform-benchmarks"));
        var arguments = new[] { "--filter" }.Concat(filters.Length == 0 ? ["*"] : filters).ToArray();
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(arguments, config).ToList();
        var reports = summaries.SelectMany(summary => summary.Reports).ToList();
        if (reports.Count == 0 || reports.Any(report => !report.Success)) return 1;

        var (commit, isModified) = Commit.Read();
        var result = new ResultFile
        {
            Name = name,
            StartedAt = startedAt,
            DurationSeconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1),
            Commit = commit,
            IsModified = isModified,
            Machine = Machine.Read(),
            Parameters = new() { ["job"] = isQuick ? "short, in process" : "default" },
            Targets = new() { ["ours"] = "this commit" },
            Measurements = [.. reports.SelectMany(Convert)],
        };
        Console.WriteLine(MarkdownTable.Print(result));
        if (folder is not null) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(folder)));
        return CheckAllocations(result, limits);
    }

    private static IEnumerable<Measurement> Convert(BenchmarkReport report)
    {
        var descriptor = report.BenchmarkCase.Descriptor;
        var scenario = $"{descriptor.Type.Name}.{descriptor.WorkloadMethod.Name}";
        var conditions = report.BenchmarkCase.Parameters.Items.ToDictionary(p => p.Name, p => p.Value?.ToString() ?? "");
        if (report.ResultStatistics is not { } statistics) yield break;
        yield return Measurement.Of(scenario, "ours", "time per operation", "ns", conditions, statistics.N, 0, statistics.OriginalValues);
        if (report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) is { } allocated)
            yield return Measurement.Of(scenario, "ours", "allocated per operation", "By", conditions, statistics.N, 0, [allocated]);
    }

    /// <summary>Times vary with the machine; allocations repeat, so they can be gated.</summary>
    private static int CheckAllocations(ResultFile result, string[] limits)
    {
        var failed = false;
        foreach (var limit in limits)
        {
            if (limit.Split('=') is not [var pattern, var text] || !long.TryParse(text, out var bytes)) throw new ArgumentException($"'{limit}' is not PATTERN=BYTES.");
            var measured = result.Measurements.Where(m => m.Measure == "allocated per operation" && m.Scenario.Contains(pattern, StringComparison.Ordinal)).ToList();
            if (measured.Count == 0)
            {
                Console.Error.WriteLine($"No benchmark is named like '{pattern}'.");
                failed = true;
            }

            foreach (var m in measured.Where(m => m.Median > bytes))
            {
                Console.Error.WriteLine($"{m.Scenario} ({m.ConditionText}) allocates {m.Median} B per operation; at most {bytes} are allowed.");
                failed = true;
            }
        }

        return failed ? 1 : 0;
    }
}
