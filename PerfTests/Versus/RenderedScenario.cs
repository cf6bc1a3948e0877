using PerfTests.Client;

namespace PerfTests.Versus;

/// <summary>
/// Rendered pictures and thumbnails of a series, on one connection: cold, each slice for the first time (the files are in the page cache), then the same ones
/// again. Rounds and the two scenarios take different slices, so that none is cold twice. A server must not have been asked before.
/// </summary>
internal static class RenderedScenario
{
    public static readonly string[] Names = ["rendered", "thumbnail"];

    private const int WarmPasses = 20;

    public static void Run(VersusRun run, string scenario, SeriesPaths series, IReadOnlyList<Target> targets)
    {
        var own = series.Instances.Where((_, i) => i % Names.Length == Array.IndexOf(Names, scenario)).ToList();
        var perRound = own.Count / run.Rounds;
        if (perRound == 0) throw new ArgumentException($"{scenario} needs {Names.Length * run.Rounds} slices or more, or fewer rounds.");
        foreach (var type in (string[])["image/jpeg", "image/webp"])
        {
            // Another quality is another picture of the same slice; the frame itself is in memory then, which only the first type is not spared.
            var takers = targets.Where(t => type == "image/jpeg" || !t.Name.StartsWith("orthanc", StringComparison.Ordinal)).ToList();
            run.Interleave($"{scenario}, {type}", takers, (target, round) =>
            {
                var slices = own.Skip(round * perRound).Take(perRound);
                var requests = slices.Select(slice => target.Get($"{series.Root}/instances/{slice}/{ResourceOf(scenario, target)}", $"Accept: {type}")).ToList();
                var state = type == "image/jpeg" ? "cold" : "cold, frame in memory";
                run.Add(scenario, target.Name, VersusRun.Conditions(("type", type), ("state", state)), LoadRun.Closed(target.Endpoint, requests, 1, requests.Count, run.CancellationToken), withThroughput: false);
                run.Add(scenario, target.Name, VersusRun.Conditions(("type", type), ("state", "warm")), LoadRun.Closed(target.Endpoint, requests, 1, WarmPasses * requests.Count, run.CancellationToken), withThroughput: false);
            });
        }
    }

    // Orthanc has no thumbnails: the same picture by viewport.
    private static string ResourceOf(string scenario, Target target) =>
        scenario == "rendered" ? "rendered" : target.Name.StartsWith("orthanc", StringComparison.Ordinal) ? "rendered?viewport=128,128" : "thumbnail";
}
