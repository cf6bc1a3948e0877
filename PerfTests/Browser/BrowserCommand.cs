using System.CommandLine;
using PerfTests.Report;

namespace PerfTests.Browser;

/// <summary>
/// <c>browser</c>: what a person at the end of a line sees. Starts ImageApi and Web as built beside this program, stores the series anew for every round, and
/// opens it in chromium: with a server that never saw it, with one that did, and once more in the same browser.
/// </summary>
internal static class BrowserCommand
{
    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "The series, a folder of DICOM files." };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 5 };
        var megabits = new Option<double>("--mbit") { Description = "Of the line, each way; 0 for none (loopback).", DefaultValueFactory = _ => 50 };
        var milliseconds = new Option<double>("--rtt") { Description = "Round trip of the line in ms.", DefaultValueFactory = _ => 40 };
        var line = new Option<string>("--line") { Description = "tun: packets over a slow line, with TCP's own dynamics (Linux, root); cdp: the browser delays its requests; auto: tun where it can be.", DefaultValueFactory = _ => "auto" };
        line.AcceptOnlyFromAmong("auto", "tun", "cdp");
        var isTraced = new Option<bool>("--trace") { Description = "Trace the main thread in one more round; tracing makes everything slower, so no other figure is taken from it.", DefaultValueFactory = _ => true };
        var chromium = new Option<string>("--chromium") { DefaultValueFactory = _ => "/usr/bin/chromium" };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "browser" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        var command = new Command("browser", "First picture, usable slices, whole series and revisit in chromium, over a slow line.") { folder, rounds, megabits, milliseconds, line, isTraced, chromium, name, results };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var options = new BrowserRunOptions(
                parse.GetValue(folder)!.FullName, parse.GetValue(rounds), parse.GetValue(megabits) * 1e6, TimeSpan.FromMilliseconds(parse.GetValue(milliseconds)),
                parse.GetValue(line)!, parse.GetValue(isTraced), parse.GetValue(chromium)!);
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var (commit, isModified) = Commit.Read();
            var run = new BrowserRun(options);
            var measurements = await run.RunAsync(cancellationToken);
            var result = new ResultFile
            {
                Name = parse.GetValue(name)!,
                StartedAt = startedAt,
                DurationSeconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1),
                Commit = commit,
                IsModified = isModified,
                Machine = machine,
                Parameters = new(run.Parameters.ToDictionary(), StringComparer.Ordinal),
                Targets = new(StringComparer.Ordinal) { ["ours"] = "ImageApi and Web of this commit" },
                Measurements = measurements,
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } kept) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(kept.FullName)));
            return 0;
        });
        return command;
    }
}
