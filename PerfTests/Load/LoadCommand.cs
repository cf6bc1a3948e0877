using System.CommandLine;
using NBomber.Contracts;
using NBomber.CSharp;
using PerfTests.Report;
using PerfTests.Versus;

namespace PerfTests.Load;

/// <summary><c>load</c>: people who look at images, many at once, on one server or on several in turns.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        string[] names = [.. LoadScenario.All.Select(static scenario => scenario.Name)];
        var scenarios = new Argument<string[]>("scenarios") { Description = $"Any of {string.Join(", ", names)}.", Arity = ArgumentArity.OneOrMore };
        scenarios.AcceptOnlyFromAmong(names);
        var targets = new Option<string[]>("--target") { Description = "NAME=API,URL: dicomweb, cases or platform, and the DICOMweb root. The first is the one that ratios are of.", Required = true };
        var frameAccept = new Option<string>("--frame-accept") { Description = "What DICOMweb servers are asked for frames with.", DefaultValueFactory = _ => "multipart/related; type=application/octet-stream; transfer-syntax=*" };
        var users = new Option<int>("--users") { Description = "People at once: each begins anew when done.", DefaultValueFactory = _ => 4 };
        var rate = new Option<int>("--rate") { Description = "Instead of people: so many begin each second, whatever becomes of those before.", DefaultValueFactory = _ => 0 };
        var duration = new Option<double>("--seconds") { Description = "Per scenario, target and round.", DefaultValueFactory = _ => 10 };
        var warmUp = new Option<double>("--warm-up") { Description = "Seconds before that which are not counted.", DefaultValueFactory = _ => 2 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 3 };
        var studies = new Option<int>("--studies") { Description = "At most so many studies of the server.", DefaultValueFactory = _ => 100 };
        var only = new Option<string?>("--series") { Description = "This series alone." };
        var think = new Option<double>("--think") { Description = "zipf-clinic: mean seconds that a person thinks before the next series.", DefaultValueFactory = _ => 1 };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "load" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };

        var command = new Command("load", "Many people at once: open and closed load, latency from the intended start.")
        {
            scenarios, targets, frameAccept, users, rate, duration, warmUp, rounds, studies, only, think, name, results,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var asked = parse.GetValue(scenarios)!;
            var servers = parse.GetValue(targets)!.Select(target => LoadTarget.Parse(target, parse.GetValue(frameAccept)!)).ToList();
            var run = new VersusRun(parse.GetValue(rounds), cancellationToken);
            var engine = "";
            try
            {
                foreach (var server in servers) await server.FindSeriesAsync(parse.GetValue(studies), parse.GetValue(only), cancellationToken);
                var plan = new LoadPlan(parse.GetValue(users), parse.GetValue(rate), TimeSpan.FromSeconds(parse.GetValue(duration)), TimeSpan.FromSeconds(parse.GetValue(warmUp)), TimeSpan.FromSeconds(parse.GetValue(think)));
                foreach (var scenario in LoadScenario.All.Where(scenario => asked.Contains(scenario.Name)))
                    run.Interleave(scenario.Name, servers, (server, _) => engine = Run(run, scenario, server, plan));
            }
            finally
            {
                foreach (var server in servers) server.Dispose();
            }

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
                Parameters = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["rounds"] = $"{run.Rounds}", ["seconds"] = $"{parse.GetValue(duration)}", ["engine"] = engine },
                Targets = new(servers.ToDictionary(static server => server.Name, static server => $"{server.Api.Name}, {server.Series.Count} series"), StringComparer.Ordinal),
                Measurements = measurements,
                Ratios = Ratio.Compute(measurements, servers[0].Name),
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } folder) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(folder.FullName)));
            return measurements.Any(static measurement => measurement.Errors > 0) ? 1 : 0;
        });
        return command;
    }

    /// <summary>One scenario on one server, once; gives the engine's name.</summary>
    internal static string Run(VersusRun run, LoadScenario scenario, LoadTarget server, LoadPlan plan)
    {
        var warm = new LatencyLog(plan.Rate);
        var log = new LatencyLog(plan.Rate);
        var load = new LoadContext(server.Api, server.Client, server.Series);
        var props = Scenario.Create(scenario.Name, async context =>
        {
            var cancellationToken = context.ScenarioCancellationToken;
            var mine = context.ScenarioInfo.ScenarioOperation == ScenarioOperation.Bombing ? log : warm;
            Person? person = null;
            long? from = null;
            try
            {
                person = await load.TakeAsync(scenario, context.Random, cancellationToken);
                from = mine.Begin();
                var before = person.Visitor.Bytes;
                await scenario.IterateAsync(load, person, context.Random, mine, cancellationToken);
                var bytes = person.Visitor.Bytes - before;
                mine.End(from.Value, bytes, null);
                if (scenario.HasThinkTime && plan.Think > TimeSpan.Zero) await Task.Delay(plan.Think * (2 * context.Random.NextDouble()), cancellationToken);
                return Response.Ok(sizeBytes: bytes);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                mine.End(from ?? mine.Begin(), 0, exception.Message);   // a failure has a latency too
                return Response.Fail(message: exception.Message);
            }
            finally
            {
                if (person is not null) load.Release(scenario, person);
            }
        }).WithMaxFailCount(1000).WithLoadSimulations(plan.Rate > 0 ? Simulation.Inject(plan.Rate, TimeSpan.FromSeconds(1), plan.Duration) : Simulation.KeepConstant(plan.Users, plan.Duration));
        props = plan.WarmUp > TimeSpan.Zero ? props.WithWarmUpDuration(plan.WarmUp) : props.WithoutWarmUp();
        var stats = NBomberRunner.RegisterScenarios(props).WithTestSuite("load").WithTestName(scenario.Name).WithoutReports().WithScenarioCompletionTimeout(TimeSpan.FromSeconds(30)).Run();

        if (log.FirstError is not null) Console.Error.WriteLine($"{server.Name}, {scenario.Name}: {log.Errors} errors, first: {log.FirstError}");
        var conditions = plan.Rate > 0 ? VersusRun.Conditions(("per second", plan.Rate)) : VersusRun.Conditions(("people", plan.Users));
        var seconds = Math.Max(log.Span, 1) / 1e9;
        run.Add(scenario.Name, server.Name, "latency", "ms", conditions, log.Iterations.GetPercentile(50) / 1e6, log.Iterations.Count, log.Errors, log.Iterations);
        run.Add(scenario.Name, server.Name, "times per second", "1/s", conditions, log.Iterations.Count / seconds, log.Iterations.Count);
        run.Add(scenario.Name, server.Name, "bytes on the wire", "By", conditions, Math.Round(log.Bytes / (double)Math.Max(1, log.Iterations.Count)), log.Iterations.Count);
        if (log.Images.Count > 0)
        {
            run.Add(scenario.Name, server.Name, "image latency", "ms", conditions, log.Images.GetPercentile(50) / 1e6, log.Images.Count, 0, log.Images);
            run.Add(scenario.Name, server.Name, "images per second", "1/s", conditions, log.Images.Count / seconds, log.Images.Count);
        }

        return $"NBomber {stats.NodeInfo.NBomberVersion}";
    }
}

/// <summary>How much load, and for how long.</summary>
/// <param name="Users">Closed: people at once.</param>
/// <param name="Rate">Open: beginnings per second; 0 for closed.</param>
/// <param name="Duration">That counts.</param>
/// <param name="WarmUp">Before that.</param>
/// <param name="Think">The mean between what a person does.</param>
internal sealed record LoadPlan(int Users, int Rate, TimeSpan Duration, TimeSpan WarmUp, TimeSpan Think);

/// <summary>A server under load.</summary>
internal sealed class LoadTarget : IDisposable
{
    private LoadTarget(string name, LoadApi api, Uri address) => (Name, Api, Client) = (name, api, new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, PooledConnectionLifetime = Timeout.InfiniteTimeSpan }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) });

    public string Name { get; }

    public LoadApi Api { get; }

    public HttpClient Client { get; }

    public IReadOnlyList<SeriesItem> Series { get; private set; } = [];

    /// <summary>Reads <c>name=api,url</c>.</summary>
    public static LoadTarget Parse(string option, string frameAccept)
    {
        var (name, value) = Target.Split(option);
        var comma = value.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || !Uri.TryCreate(value[(comma + 1)..], UriKind.Absolute, out var url)) throw new ArgumentException($"'{option}' is not NAME=API,URL.");
        return new LoadTarget(name, LoadApi.Of(value[..comma], url.AbsolutePath, frameAccept), new Uri(url.GetLeftPart(UriPartial.Authority)));
    }

    public async Task FindSeriesAsync(int maxStudies, string? only, CancellationToken cancellationToken)
    {
        var found = await Api.FindAsync(new Visitor(Client, TimeProvider.System), maxStudies, cancellationToken);
        var opening = new Visitor(Client, TimeProvider.System);
        var usable = new List<SeriesItem>();
        foreach (var series in found.Where(series => only is null || series.Series == only))
        {
            // Series of documents have nothing to look at.
            if ((await Api.OpenAsync(opening, series, cancellationToken)).Frames.Count > 0) usable.Add(series);
        }

        Series = usable.Count > 0 ? usable : throw new InvalidOperationException($"{Name} holds no series with images.");
    }

    public void Dispose() => Client.Dispose();
}
