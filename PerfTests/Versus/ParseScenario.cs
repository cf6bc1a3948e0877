using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PerfTests.Measuring;
using Platform.Dicom;
using Platform.Dicom.Json;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// Headers read per second on one thread, files in the page cache: ours in this process against DCMTK in a process of
/// its own, which times itself (built from <c>Peers/dcmtk-parse.cpp</c>).
/// </summary>
internal static partial class ParseScenario
{
    public const string Name = "parse";

    public static void Run(VersusRun run, string folder, string? dcmtk)
    {
        var files = Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true })
            .Where(f => Path.GetFileName(f) is not ("MANIFEST.tsv" or "DICOMDIR" or "DIRFILE")).Order(StringComparer.Ordinal).ToArray();
        if (files.Length == 0) throw new InvalidDataException("The folder to parse is empty.");
        var repeats = Math.Max(1, 2000 / files.Length);
        var json = new ArrayBufferWriter<byte>(1 << 20);
        ReadAll(files, 1, null);
        ReadAll(files, 1, json);                // compiled and in the page cache
        string[] targets = dcmtk is null ? ["ours"] : ["ours", "dcmtk"];
        run.Interleave(Name, targets, (target, _) =>
        {
            if (target == "ours")
            {
                var (headers, allocated) = ReadAll(files, repeats, null);
                run.Add(Name, target, "headers per second", "1/s", Conditions(), headers, files.Length * repeats);
                run.Add(Name, target, "allocated per header", "By", Conditions(), allocated, files.Length * repeats);
                run.Add(Name, target, "headers per second", "1/s", Conditions(("output", "DICOM JSON")), ReadAll(files, repeats, json).PerSecond, files.Length * repeats);
            }
            else
            {
                var (headers, withJson) = RunDcmtk(dcmtk!, files, repeats);
                run.Add(Name, target, "headers per second", "1/s", Conditions(), headers, files.Length * repeats);
                run.Add(Name, target, "headers per second", "1/s", Conditions(("output", "DICOM JSON")), withJson, files.Length * repeats);
            }
        });
    }

    private static (double PerSecond, double AllocatedBytes) ReadAll(string[] files, int repeats, ArrayBufferWriter<byte>? json)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = Clock.Now;
        long elements = 0;
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            foreach (var path in files)
            {
                using var file = DicomFile.Read(path);
                elements += file.Dataset.Count;
                if (json is null) continue;
                json.ResetWrittenCount();
                DicomJsonWriter.Write(json, file.Dataset);
            }
        }

        var count = files.Length * repeats;
        var seconds = (Clock.Now - started) / 1e9;
        if (elements == 0) throw new InvalidDataException("No element was read.");
        return (count / seconds, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)count);
    }

    private static (double Headers, double WithJson) RunDcmtk(string program, string[] files, int repeats)
    {
        var arguments = new List<string> { "1" };
        for (var i = 0; i < repeats; i++) arguments.AddRange(files);
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var (headers, json) = (HeadersPattern().Match(output), JsonPattern().Match(output));
        if (process.ExitCode != 0 || !headers.Success || !json.Success) throw new InvalidDataException("The DCMTK program printed no figures.");
        return (double.Parse(headers.Groups[1].Value, CultureInfo.InvariantCulture), double.Parse(json.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"dcmtk until PixelData: (\d+) files/s")]
    private static partial Regex HeadersPattern();

    [GeneratedRegex(@"until PixelData \+ JSON: (\d+) files/s")]
    private static partial Regex JsonPattern();
}
