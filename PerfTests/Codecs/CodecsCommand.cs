using System.CommandLine;
using PerfTests.Measuring;
using PerfTests.Report;
using PerfTests.Versus;

namespace PerfTests.Codecs;

/// <summary><c>codecs</c>: the same frames on one thread, ours and others' codecs in turns within this process.</summary>
internal static class CodecsCommand
{
    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "A folder of DICOM files; its grey native frames of 16 bits are taken." };
        var most = new Option<int>("--frames") { Description = "At most so many of them.", DefaultValueFactory = _ => 64 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 5 };
        var openJph = new Option<FileInfo?>("--openjph") { Description = "HTJ2K: the library built from PerfTests/Codecs/openjph.cpp." };
        var openJpeg = new Option<FileInfo?>("--openjpeg") { Description = "JPEG 2000: the library built from PerfTests/Codecs/openjpeg.cpp." };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "codecs" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        var command = new Command("codecs", "HTJ2K and JPEG 2000 on one thread, ours and others'.") { folder, most, rounds, openJph, openJpeg, name, results };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var frames = await CodecFrame.ReadAsync(parse.GetValue(folder)!.FullName, parse.GetValue(most), cancellationToken);
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var run = new VersusRun(parse.GetValue(rounds), cancellationToken);
            using var jph = parse.GetValue(openJph) is { } a ? new PeerCodec("openjph", a.FullName) : null;
            using var jpeg = parse.GetValue(openJpeg) is { } b ? new PeerCodec("openjpeg", b.FullName) : null;
            CodecScenario.RunHtj2k(run, frames, jph);
            if (jpeg is not null) CodecScenario.RunJpeg2000(run, frames, jpeg);

            var measurements = run.GetMeasurements();
            var (commit, isModified) = Commit.Read();
            var first = frames[0].Description;
            var result = new ResultFile
            {
                Name = parse.GetValue(name)!,
                StartedAt = startedAt,
                DurationSeconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1),
                Commit = commit,
                IsModified = isModified,
                Machine = machine,
                Parameters = new(StringComparer.Ordinal)
                {
                    ["rounds"] = $"{run.Rounds}",
                    ["frames"] = $"{frames.Count} of {parse.GetValue(folder)!.Name}, the first {first.Columns} x {first.Rows}, {first.BitsStored} bits",
                },
                Targets = new(measurements.Select(m => m.Target).Distinct().ToDictionary(t => t, t => t == "ours" ? "this commit" : "its library, in process"), StringComparer.Ordinal),
                Measurements = measurements,
                Ratios = Ratio.Compute(measurements, "ours"),
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } kept) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(kept.FullName)));
            return 0;
        });
        return command;
    }
}
