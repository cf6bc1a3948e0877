using System.Text;

namespace PerfTests.Report;

/// <summary>Prints results as Markdown: measurements with a column per target, and the ratios beside them.</summary>
internal static class MarkdownTable
{
    public static string Print(ResultFile result)
    {
        var text = new StringBuilder();
        text.AppendLine($"{result.Name}, {result.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, commit {result.Commit}{(result.IsModified ? " (modified)" : "")}, {result.Machine.Cpu}, {result.Machine.Cores} cores, load {result.Machine.LoadAverage:0.0}");
        text.AppendLine();
        var targets = result.Measurements.Select(m => m.Target).Distinct().ToList();
        var others = result.Ratios.Select(r => r.To).Distinct().ToList();
        var of = result.Ratios.FirstOrDefault()?.Of;
        Row(["scenario", "measure", .. targets, .. others.Select(o => $"{of} / {o}")]);
        Row(Enumerable.Repeat("---", 2 + targets.Count + others.Count));
        foreach (var group in result.Measurements.GroupBy(m => (m.Scenario, m.Measure, m.Unit, m.ConditionText)))
        {
            var cells = new List<string>
            {
                group.Key.ConditionText.Length == 0 ? group.Key.Scenario : $"{group.Key.Scenario}, {group.Key.ConditionText}",
                $"{group.Key.Measure}, {group.Key.Unit}",
            };
            cells.AddRange(targets.Select(t => group.FirstOrDefault(m => m.Target == t) is { } m ? Cell(m) : ""));
            cells.AddRange(others.Select(o => result.Ratios.FirstOrDefault(r => r.To == o && r.Scenario == group.Key.Scenario && r.Measure == group.Key.Measure
                && string.Join(", ", r.Conditions.Select(c => $"{c.Value} {c.Key}")) == group.Key.ConditionText) is { } ratio
                ? $"{Format(ratio.Median)} ({Format(ratio.Min)}-{Format(ratio.Max)})" : ""));
            Row(cells);
        }

        return text.ToString();

        void Row(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).AppendLine(" |");
    }

    private static string Cell(Measurement measurement)
    {
        var value = Format(measurement.Median);
        if (measurement.Percentiles is { } p && p.TryGetValue("p50", out var p50) && p.TryGetValue("p99", out var p99)) value = $"p50 {Format(p50)}, p99 {Format(p99)}";
        return measurement.Errors > 0 ? $"{value} ({measurement.Errors} errors)" : value;
    }

    private static string Format(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("#,0"),
        >= 100 => value.ToString("0"),
        >= 10 => value.ToString("0.0"),
        >= 0.1 => value.ToString("0.00"),
        0 => "0",
        _ => value.ToString("G2"),
    };
}
