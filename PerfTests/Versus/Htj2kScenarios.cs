using System.Text;
using PerfTests.Client;
using PerfTests.Measuring;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// Frames as progressive HTJ2K and previews of whole series. Cold: the server is told to forget all frames, so each is read from its file, encoded, decoded again
/// and compared. Warm: against a file server that holds the same streams.
/// </summary>
internal static class Htj2kScenarios
{
    public const string Frames = "frames-htj2k", Preview = "preview";

    private const string Accept = "Accept: image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202";

    /// <summary>The targets, asked for frames as HTJ2K.</summary>
    public static List<Target> Asking(IEnumerable<Target> targets) => [.. targets.Select(target => target with { FrameAccept = Accept })];

    public static void RunFrames(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets, int requests)
    {
        var makers = targets.Where(CanForget).ToList();
        foreach (var connections in (int[])[1, 16])
        {
            run.Interleave($"{Frames}, cold, {connections} connections", makers, (target, _) =>
            {
                Forget(target);
                run.Add(Frames, target.Name, Conditions(("connections", connections), ("cache", "cold")), LoadRun.Closed(target.Endpoint, Requests(series, target), connections, series.Instances.Count, run.CancellationToken));
            });
        }

        foreach (var connections in (int[])[1, 16])
        {
            run.Interleave($"{Frames}, warm, {connections} connections", targets, (target, _) =>
                run.Add(Frames, target.Name, Conditions(("connections", connections), ("cache", "warm")),
                    LoadRun.Closed(target.Endpoint, Requests(series, target), connections, connections == 1 ? requests / 2 : requests, run.CancellationToken)));
        }
    }

    /// <summary>The beginnings of all frames in one answer: the first record and the whole, with all frames to be made and with none.</summary>
    public static void RunPreview(VersusRun run, SeriesPaths series, IReadOnlyList<Target> targets)
    {
        foreach (var resolution in (string[])["1/4", "1/2"])
        {
            run.Interleave($"{Preview}, {resolution}", [.. targets.Where(CanForget)], (target, _) =>
            {
                Forget(target);
                foreach (var cache in (string[])["cold", "warm"]) Read(run, series, target, resolution, cache);
            });
        }
    }

    private static void Read(VersusRun run, SeriesPaths series, Target target, string resolution, string cache)
    {
        var root = Root(target);
        using var connection = new HttpConnection(root);
        connection.Connect();
        var (bytes, firstAt) = (0L, 0L);
        connection.Reader.Body = piece =>
        {
            bytes += piece.Length;
            // Past the 16 bytes that begin the answer.
            if (bytes > 16 && firstAt == 0) firstAt = Clock.Now;
        };
        var started = Clock.Now;
        var response = connection.Send(Request.Get(root, $"/api/series/{series.Series}/preview?resolution={resolution}", target.Headers).Bytes);
        var ended = Clock.Now;
        var errors = response.Status == 200 ? 0 : 1;
        var conditions = Conditions(("resolution", resolution), ("cache", cache), ("frames", series.Instances.Count));
        run.Add(Preview, target.Name, "first record", "ms", conditions, (firstAt - started) / 1e6, 1, errors);
        run.Add(Preview, target.Name, "whole answer", "ms", conditions, (ended - started) / 1e6, 1, errors);
        run.Add(Preview, target.Name, "bytes", "MB", conditions, bytes / 1e6, 1, errors);
    }

    // A file server has nothing to make.
    private static bool CanForget(Target target) => !target.Name.StartsWith("nginx", StringComparison.Ordinal);

    private static void Forget(Target target)
    {
        var root = Root(target);
        using var connection = new HttpConnection(root);
        var request = Request.Post(root, "/api/cache/clear", [.. target.Headers, "Content-Type: application/json"], Encoding.ASCII.GetBytes("""{"confirm":true,"kind":"Frame"}"""));
        var response = connection.Send(request.Bytes);
        if (response.Status is < 200 or > 299) throw new InvalidDataException($"{target.Name} answers {response.Status} when it is told to forget its frames.");
    }

    private static Endpoint Root(Target target) => target.Endpoint with { BasePath = "" };

    private static List<Request> Requests(SeriesPaths series, Target target) => [.. series.Frames.Select(path => target.Get(path, target.FrameAccept))];
}
