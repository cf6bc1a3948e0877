using System.CommandLine;
using PerfTests.Measuring;
using PerfTests.Report;
using PerfTests.Versus;
using Platform.Codecs.Htj2k;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Jpeg2000;
using Platform.Codecs.JpegLossless;
using Platform.Codecs.JpegLs;

namespace PerfTests.Codecs;

/// <summary><c>codecs</c>: the same frames on one thread, ours and others' codecs in turns within this process.</summary>
internal static class CodecsCommand
{
    private static readonly string[] Known = ["htj2k", "jpeg2000", "jpegls", "jpeg-lossless", "jpeg"];

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--folder") { Required = true, Description = "A folder of DICOM files; its grey native frames of 16 bits are taken." };
        var colour = new Option<DirectoryInfo?>("--colour") { Description = "A folder of DICOM files; its colour frames of 8 bits are taken for JPEG, beside the grey ones." };
        var most = new Option<int>("--frames") { Description = "At most so many of each.", DefaultValueFactory = _ => 64 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 5 };
        var peers = new Option<DirectoryInfo?>("--peers") { Description = "The folder that PerfTests/Codecs/build-peers.sh filled; a peer that is not there is left out." };
        var only = new Option<string[]>("--only") { Description = $"Some codecs alone: {string.Join(", ", Known)}.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => Known };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "codecs" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        only.AcceptOnlyFromAmong(Known);
        var command = new Command("codecs", "The codecs on one thread, ours and others'.") { folder, colour, most, rounds, peers, only, name, results };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var grey = await CodecFrame.ReadGreyAsync(parse.GetValue(folder)!.FullName, parse.GetValue(most), cancellationToken);
            var tiles = parse.GetValue(colour) is { } colours ? await CodecFrame.ReadColourAsync(colours.FullName, parse.GetValue(most), cancellationToken) : [];
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var run = new VersusRun(parse.GetValue(rounds), cancellationToken);
            foreach (var codec in Known.Intersect(parse.GetValue(only)!)) Measure(run, codec, grey, tiles, parse.GetValue(peers)?.FullName);

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
                Parameters = new(StringComparer.Ordinal) { ["rounds"] = $"{run.Rounds}", ["frames"] = Tell(grey, parse.GetValue(folder)!) },
                Targets = new(measurements.Select(m => m.Target).Distinct().ToDictionary(t => t, t => t == "ours" ? "this commit" : "its library, in process"), StringComparer.Ordinal),
                Measurements = measurements,
                Ratios = Ratio.Compute(measurements, "ours"),
            };
            if (tiles.Count > 0) result.Parameters["colour frames"] = Tell(tiles, parse.GetValue(colour)!);
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } kept) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(kept.FullName)));
            return 0;
        });
        return command;
    }

    private static void Measure(VersusRun run, string codec, List<CodecFrame> grey, List<CodecFrame> tiles, string? peers)
    {
        using var peer = PeerCodec.Open(peers, codec switch { "htj2k" => "openjph", "jpeg2000" => "openjpeg", "jpegls" => "charls", "jpeg-lossless" => "dcmtk", _ => "turbojpeg" });
        if (peer is null && codec is not ("htj2k" or "jpegls")) return; // we have no encoder to make streams with
        switch (codec)
        {
            case "htj2k":
                new CodecScenario(run, codec, grey, new Htj2kFrameDecoder(), peer).RunLossless(CodecScenario.By(new Htj2kFrameEncoder()), isReducible: true);
                break;
            case "jpeg2000":
                new CodecScenario(run, codec, grey, new Jpeg2000FrameDecoder(), peer).RunLossless(null, isReducible: true);
                break;
            case "jpegls":
                new CodecScenario(run, codec, grey, new JpegLsFrameDecoder(), peer).RunLossless(CodecScenario.By(new JpegLsFrameEncoder()), isReducible: false);
                break;
            case "jpeg-lossless":
                new CodecScenario(run, codec, grey, new JpegLosslessFrameDecoder(), peer).RunLossless(null, isReducible: false);
                break;
            default:
                new CodecScenario(run, codec, grey.ConvertAll(frame => frame.ToEightBits()), new JpegFrameDecoder(), peer).RunLossy(EncodeJpeg, "grey");
                if (tiles.Count > 0) new CodecScenario(run, codec, tiles, new JpegFrameDecoder(), peer).RunLossy(EncodeJpeg, "4:2:0");
                break;
        }
    }

    private static readonly JpegFrameEncoder Jpeg = new();

    private static void EncodeJpeg(CodecFrame frame, System.Buffers.IBufferWriter<byte> stream, CancellationToken cancellationToken) =>
        Jpeg.Encode(frame.Pixels, frame.Description.Columns, frame.Description.Rows, frame.Description.SamplesPerPixel, 85, stream, cancellationToken);

    private static string Tell(List<CodecFrame> frames, DirectoryInfo folder) =>
        $"{frames.Count} of {folder.Name}, the first {frames[0].Description.Columns} x {frames[0].Description.Rows}, {frames[0].Description.BitsStored} bits";
}
