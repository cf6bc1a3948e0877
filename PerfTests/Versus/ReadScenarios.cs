using PerfTests.Client;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>The scenarios that read one series: frames, metadata, the list of instances.</summary>
internal static class ReadScenarios
{
    public static readonly string[] Names = ["frames", "frames-series", "metadata", "search-instances"];

    /// <summary>Fails where two targets give different bytes for a frame: such a comparison would mean nothing.</summary>
    public static void Verify(SeriesPaths series, IReadOnlyList<Target> targets)
    {
        List<string>? first = null;
        foreach (var target in targets.Where(t => t.TakesPartIn("frames") || t.TakesPartIn("frames-series")))
        {
            var digests = series.DigestFrames(target);
            first ??= digests;
            if (!digests.SequenceEqual(first)) throw new InvalidDataException($"{target.Name} and {targets[0].Name} give different bytes for the same frames.");
        }
    }

    /// <summary>Single frames in any order: closed loop on 1 and 16 connections, and open loop at one rate for all.</summary>
    public static void Frames(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets, int requests, double rate)
    {
        foreach (var connections in (int[])[1, 16])
        {
            run.Interleave($"frames, {connections} connections", targets, (target, _) =>
                run.Add("frames", target.Name, Conditions(("connections", connections), ("loop", "closed")),
                    LoadRun.Closed(target.Endpoint, FrameRequests(series, target), connections, connections == 1 ? requests / 2 : requests, run.CancellationToken)));
        }

        if (rate <= 0) return;
        run.Interleave($"frames, {rate}/s", targets, (target, _) =>
            run.Add("frames", target.Name, Conditions(("connections", 16), ("loop", "open"), ("per second", rate)),
                LoadRun.Open(target.Endpoint, FrameRequests(series, target), 16, (int)(rate * 3), rate, run.CancellationToken), withThroughput: false));
    }

    /// <summary>The whole series: frame by frame over six connections, as a browser does, and as one multipart of instances.</summary>
    public static void FramesSeries(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets)
    {
        run.Interleave("frames-series", targets, (target, _) =>
        {
            var load = LoadRun.Closed(target.Endpoint, FrameRequests(series, target), 6, series.Instances.Count, run.CancellationToken);
            run.Add("frames-series", target.Name, "wall time", "ms", Conditions(("connections", 6), ("frames", series.Instances.Count)), load.Wall.TotalMilliseconds, load.Requests, load.Errors);
        });
        var multipart = targets.Where(t => t.TakesPartIn("metadata")).ToList();
        run.Interleave("frames-series as one multipart", multipart, (target, _) =>
        {
            var request = target.Get(series.Root, "Accept: multipart/related; type=\"application/dicom\"; transfer-syntax=*");
            var load = LoadRun.Closed(target.Endpoint, [request], 1, 1, run.CancellationToken);
            run.Add("frames-series", target.Name, "wall time", "ms", Conditions(("answer", "multipart"), ("instances", series.Instances.Count)), load.Wall.TotalMilliseconds, 1, load.Errors);
        });
    }

    /// <summary>The metadata of the series, warm: plain and as small as the server makes it.</summary>
    public static void Metadata(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets, int requests)
    {
        foreach (var (connections, coding) in ((int, string)[])[(1, "identity"), (1, "gzip, br"), (16, "gzip, br")])
        {
            run.Interleave($"metadata, {connections} connections, {coding}", targets, (target, _) =>
            {
                Request[] request = [target.Get(series.Metadata, "Accept: application/dicom+json", $"Accept-Encoding: {coding}")];
                // A slow server gets fewer requests, not a longer round: two seconds are enough for a median.
                var probe = LoadRun.Closed(target.Endpoint, request, connections, connections, run.CancellationToken);
                var count = (int)Math.Clamp(2 * probe.RequestsPerSecond, 2 * connections, requests);
                run.Add("metadata", target.Name, Conditions(("connections", connections), ("coding", coding)), LoadRun.Closed(target.Endpoint, request, connections, count, run.CancellationToken));
            });
        }
    }

    /// <summary>The search for the instances of the series.</summary>
    public static void SearchInstances(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets, int requests)
    {
        run.Interleave("search-instances", targets, (target, _) =>
        {
            Request[] request = [target.Get(series.SearchInstances, "Accept: application/dicom+json")];
            var probe = LoadRun.Closed(target.Endpoint, request, 1, 1, run.CancellationToken);
            var count = (int)Math.Clamp(2 * probe.RequestsPerSecond, 3, requests);
            run.Add("search-instances", target.Name, Conditions(("connections", 1)), LoadRun.Closed(target.Endpoint, request, 1, count, run.CancellationToken));
        });
    }

    private static List<Request> FrameRequests(SeriesPaths series, Target target) => [.. series.Frames.Select(path => target.Get(path, target.FrameAccept))];
}
