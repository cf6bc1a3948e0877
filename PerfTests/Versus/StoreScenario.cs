using System.Buffers;
using PerfTests.Client;
using Platform.Dicom;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// STOW-RS of a folder of DICOM files in batches. Every round stores new instances (new UIDs, same images), made
/// before the clock starts; after it, each server must list all of them.
/// </summary>
internal static class StoreScenario
{
    public const string Name = "store";

    internal const string Boundary = "platform-perf-boundary";

    public static void Run(VersusRun run, IReadOnlyList<Target> targets, string folder, int limit, int connections, int batch, int seed)
    {
        var files = Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true })
            .Where(IsDicom).Order(StringComparer.Ordinal).Take(limit).ToList();
        if (files.Count == 0) throw new InvalidDataException("The folder to store holds no DICOM file.");
        var prepared = (Round: -1, Study: "", Bodies: new List<byte[]>());
        run.Interleave(Name, targets, (target, round) =>
        {
            if (prepared.Round != round) prepared = (round, StudyUid(seed, round), Prepare(files, batch, StudyUid(seed, round)));
            var requests = prepared.Bodies.Select(body => Request.Post(target.Endpoint, "/studies",
                [.. target.Headers, $"Content-Type: multipart/related; type=\"application/dicom\"; boundary={Boundary}", "Accept: application/dicom+json"], body)).ToList();
            var load = LoadRun.Closed(target.Endpoint, requests, connections, requests.Count, run.CancellationToken);
            var stored = SeriesPaths.CountInstances(target, prepared.Study);
            if (stored != files.Count) Console.Error.WriteLine($"{target.Name}, store: {stored} of {files.Count} instances are listed afterwards; {load.FirstError}");
            var conditions = Conditions(("connections", connections), ("per request", batch));
            var errors = load.Errors + (files.Count - stored);
            run.Add(Name, target.Name, "instances per second", "1/s", conditions, files.Count / load.Wall.TotalSeconds, files.Count, errors);
            run.Add(Name, target.Name, "latency", "ms", conditions, load.Latency.GetPercentile(50) / 1e6, requests.Count, load.Errors, load.Latency);
        });
    }

    /// <summary>The files under a new study, as bodies of STOW-RS of <paramref name="batch"/> each.</summary>
    internal static List<byte[]> Prepare(List<string> files, int batch, string study)
    {
        var series = new Dictionary<string, string>();
        var number = 0;
        return [.. files.Chunk(batch).Select(chunk =>
        {
            var body = new ArrayBufferWriter<byte>();
            foreach (var path in chunk)
            {
                using var file = DicomFile.Read(path, new DicomReadOptions { StopBeforePixels = false });
                var seriesUid = file.Dataset.GetString(DicomTags.SeriesInstanceUID) ?? "";
                if (!series.TryGetValue(seriesUid, out var newSeries)) series[seriesUid] = newSeries = $"{study}.{series.Count + 1}";
                var instance = $"{newSeries}.{++number}";
                file.Dataset.Set(DicomTags.StudyInstanceUID, DicomVr.UI, study);
                file.Dataset.Set(DicomTags.SeriesInstanceUID, DicomVr.UI, newSeries);
                file.Dataset.Set(DicomTags.SOPInstanceUID, DicomVr.UI, instance);
                file.FileMeta.Set(DicomTags.MediaStorageSOPInstanceUID, DicomVr.UI, instance);
                body.Write("--"u8);
                body.Write(System.Text.Encoding.ASCII.GetBytes(Boundary));
                body.Write("\r\nContent-Type: application/dicom\r\n\r\n"u8);
                DicomWriter.Write(body, file);
                body.Write("\r\n"u8);
            }

            body.Write(System.Text.Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
            return body.WrittenSpan.ToArray();
        })];
    }

    /// <summary>New for every run and round: seeded by both and by the moment, under the root for UUID-derived UIDs (PS3.5 B.2).</summary>
    internal static string StudyUid(int seed, int round) => $"2.25.{Run0}{seed % 1000:000}{round:000}";

    private static readonly string Run0 = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds().ToString();

    internal static bool IsDicom(string path)
    {
        Span<byte> head = stackalloc byte[132];
        using var stream = File.OpenRead(path);
        return stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head[128..].SequenceEqual("DICM"u8);
    }
}
