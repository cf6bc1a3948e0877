using PerfTests.Client;
using PerfTests.Measuring;
using PerfTests.Peers;
using static PerfTests.Versus.VersusRun;

namespace PerfTests.Versus;

/// <summary>
/// Files at the end of a slow line, asked for twice: directly, and through a cache that has the line's end as its origin.
/// Every round has files of its own, so that the first look is cold for everybody.
/// </summary>
internal static class SlowOriginScenario
{
    public const string Name = "slow-origin";

    /// <param name="run">Takes the results.</param>
    /// <param name="targets">The roots under which the origin's files are found: its own, and that of caches before it.</param>
    /// <param name="origin">The origin, for the bytes that it sent.</param>
    /// <param name="megabytes">Sizes of the files.</param>
    public static void Run(VersusRun run, IReadOnlyList<Target> targets, PacedOrigin origin, IReadOnlyList<int> megabytes)
    {
        // A run's files are new to every cache, also to one that keeps what an earlier run left.
        var once = Clock.Now;
        foreach (var size in megabytes)
        {
            run.Interleave($"{Name}, {size} MB", targets, (target, round) =>
            {
                var path = $"/{size}/{once:x}-{target.Name}-{round}";
                foreach (var look in (string[])["first", "second"])
                {
                    var sent = origin.BytesSent;
                    var started = Clock.Now;
                    using var connection = new HttpConnection(target.Endpoint, TimeSpan.FromMinutes(5));
                    var response = connection.Send(target.Get(path).Bytes);
                    var elapsed = (Clock.Now - started) / 1e6;
                    var isWhole = response.Status == 200 && response.BodyBytes == size * 1_000_000L;
                    run.Add(Name, target.Name, "wall time", "ms", Conditions(("megabytes", size), ("look", look)), elapsed, 1, isWhole ? 0 : 1);
                    run.Add(Name, target.Name, "bytes from the origin", "MB", Conditions(("megabytes", size), ("look", look)), (origin.BytesSent - sent) / 1e6, 1);
                }
            });
        }
    }
}
