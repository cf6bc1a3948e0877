using System.Buffers;
using System.CommandLine;
using PerfTests.Measuring;
using PerfTests.Report;
using PerfTests.Versus;
using Platform.Codecs;
using Platform.Codecs.Htj2k;

namespace PerfTests.Codecs;

/// <summary><c>codecs</c>: encoding and decoding of the same frames on one thread, ours and OpenJPH's in turns within this process.</summary>
internal static class CodecsCommand
{
    private const string Scenario = "htj2k";

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "A folder of DICOM files; its grey native frames of 16 bits are taken." };
        var most = new Option<int>("--frames") { Description = "At most so many of them.", DefaultValueFactory = _ => 64 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 5 };
        var openJph = new Option<FileInfo?>("--openjph") { Description = "The library built from PerfTests/Codecs/openjph.cpp." };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "codecs" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        var command = new Command("codecs", "HTJ2K on one thread, ours and OpenJPH's.") { folder, most, rounds, openJph, name, results };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var frames = await CodecFrame.ReadAsync(parse.GetValue(folder)!.FullName, parse.GetValue(most), cancellationToken);
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            using var peer = parse.GetValue(openJph) is { } library ? new OpenJphLibrary(library.FullName) : null;
            var run = new VersusRun(parse.GetValue(rounds), cancellationToken);
            Measure(run, frames, peer);
            var measurements = run.GetMeasurements();
            var (commit, isModified) = Commit.Read();
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
                    ["frames"] = $"{frames.Count} of {parse.GetValue(folder)!.Name}, {frames[0].Description.Columns} x {frames[0].Description.Rows}, {frames[0].Description.BitsStored} bits",
                },
                Targets = new(measurements.Select(m => m.Target).Distinct().ToDictionary(t => t, t => t == "ours" ? "this commit" : "libopenjph"), StringComparer.Ordinal),
                Measurements = measurements,
                Ratios = Ratio.Compute(measurements, "ours"),
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } kept) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(kept.FullName)));
            return 0;
        });
        return command;
    }

    private static void Measure(VersusRun run, List<CodecFrame> frames, OpenJphLibrary? peer)
    {
        var encoder = new Htj2kFrameEncoder();
        var decoder = new Htj2kFrameDecoder();
        var buffer = new ArrayBufferWriter<byte>(64 << 20);
        List<byte[]> streams = [], theirs = [];
        foreach (var frame in frames)
        {
            buffer.ResetWrittenCount();
            encoder.Encode(frame.Pixels, frame.Description, buffer, null, run.CancellationToken);
            streams.Add(buffer.WrittenSpan.ToArray());
            // Nothing is timed that does not work: each decodes what the other made.
            Check(frame, DecodeOurs(streams[^1], frame, 0), "ours");
            if (peer is null) continue;
            theirs.Add(peer.Encode(frame).ToArray());
            Check(frame, DecodeOurs(theirs[^1], frame, 0), "ours of theirs");
            Check(frame, peer.Decode(streams[^1], 0), "theirs of ours");
        }

        var raw = frames.Sum(f => (double)f.Pixels.Length);
        string[] targets = peer is null ? ["ours"] : ["ours", "openjph"];
        foreach (var target in targets)
            run.Add(Scenario, target, "raw bytes per byte", "1", VersusRun.Conditions(), raw / (target == "ours" ? streams : theirs).Sum(s => (double)s.Length), frames.Count);

        // Compiled and warm before the first round.
        for (var warm = Clock.Now + 1_500_000_000; Clock.Now < warm;) Encode("ours");
        for (var warm = Clock.Now + 1_500_000_000; Clock.Now < warm;) Decode("ours", 0);
        run.Interleave("encode", targets, (target, _) => Add(target, "encode", VersusRun.Conditions(), Encode));
        run.Interleave("decode", targets, (target, _) => Add(target, "decode", VersusRun.Conditions(), t => Decode(t, 0)));
        run.Interleave("decode a quarter", targets, (target, _) => Add(target, "decode", VersusRun.Conditions(("resolution", "1/4")), t => Decode(t, 2)));

        void Add(string target, string measure, Dictionary<string, string> conditions, Action<string> work)
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var began = Clock.ThreadTime;
            work(target);
            run.Add(Scenario, target, measure, "MB/s", conditions, raw / 1e6 / ((Clock.ThreadTime - began) / 1e9), frames.Count);
            if (target == "ours") run.Add(Scenario, target, $"allocated per {measure}", "By", conditions, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)frames.Count, frames.Count);
        }

        void Encode(string target)
        {
            foreach (var frame in frames)
            {
                if (target != "ours")
                {
                    peer!.Encode(frame);
                    continue;
                }
                buffer.ResetWrittenCount();
                encoder.Encode(frame.Pixels, frame.Description, buffer, null, run.CancellationToken);
            }
        }

        // Both decode what the peer made where there is one, so the same bytes.
        void Decode(string target, int reduce)
        {
            for (var i = 0; i < frames.Count; i++)
            {
                var stream = (peer is null ? streams : theirs)[i];
                if (target == "ours") DecodeOurs(stream, frames[i], reduce);
                else peer!.Decode(stream, reduce);
            }
        }

        ReadOnlySpan<byte> DecodeOurs(byte[] stream, in CodecFrame frame, int reduce)
        {
            buffer.ResetWrittenCount();
            decoder.Decode(new ReadOnlySequence<byte>(stream), frame.Description, buffer, new DecodeOptions { ReduceLevels = reduce }, run.CancellationToken);
            return buffer.WrittenSpan;
        }
    }

    private static void Check(in CodecFrame frame, ReadOnlySpan<byte> decoded, string who)
    {
        if (!decoded.SequenceEqual(frame.Pixels)) throw new InvalidDataException($"The decoded frame differs from its source ({who}).");
    }
}
