using System.CommandLine;
using PerfTests.Peers;
using PerfTests.Report;

namespace PerfTests.Versus;

/// <summary><c>versus</c>: requests of one kind against us and others, in turns within one run.</summary>
internal static class VersusCommand
{
    private static readonly string[] Scenarios = [.. ReadScenarios.Names, .. RenderedScenario.Names, Htj2kScenarios.Frames, Htj2kScenarios.Preview, TilesScenario.Name, StoreScenario.Name, StartScenario.Name, ParseScenario.Name, FileScenario.Name, SlowOriginScenario.Name, FleetScenario.Name];

    public static Command Create()
    {
        var scenarios = new Argument<string[]>("scenarios") { Description = $"Any of {string.Join(", ", Scenarios)}.", Arity = ArgumentArity.OneOrMore };
        scenarios.AcceptOnlyFromAmong(Scenarios);
        var targets = Many("--target", "NAME=URL of a server's DICOMweb root. The first is the one that ratios are of.");
        var headers = Many("--header", "NAME=HEADER: VALUE, sent to that target with every request.");
        var only = Many("--only", "NAME=SCENARIO,SCENARIO: what that target takes part in (nginx targets: frames, frames-series).");
        var frameAccepts = Many("--frame-accept", "NAME=MEDIA TYPE that the target is asked for frames with.");
        var processes = Many("--pid", "NAME=PROCESS: watch the memory and CPU time of a target's process.");
        var rounds = new Option<int>("--rounds") { Description = "Rounds; results are medians over them.", DefaultValueFactory = _ => 5 };
        var seed = new Option<int>("--seed") { Description = "Seeds what is random.", DefaultValueFactory = _ => 1 };
        var name = new Option<string>("--name") { Description = "The result file's name.", DefaultValueFactory = _ => "versus" };
        var results = new Option<DirectoryInfo?>("--results") { Description = "Keep a result file in this folder (PerfTests/results)." };
        var series = new Option<string?>("--series") { Description = "The series to read; the largest of the first target without it." };
        var frames = new Option<int>("--frames") { Description = "At most so many of its frames.", DefaultValueFactory = _ => 200 };
        var requests = new Option<int>("--requests") { Description = "Requests per round and target.", DefaultValueFactory = _ => 4000 };
        var rate = new Option<double>("--rate") { Description = "Requests per second in the open loop; 0 leaves it out.", DefaultValueFactory = _ => 500 };
        var storeFolder = new Option<DirectoryInfo?>("--store-folder") { Description = "store: a folder of DICOM files." };
        var storeLimit = new Option<int>("--store-limit") { Description = "store: at most so many of them.", DefaultValueFactory = _ => 200 };
        var storeConnections = new Option<int>("--store-connections") { DefaultValueFactory = _ => 4, Description = "store: connections." };
        var storeBatch = new Option<int>("--store-batch") { DefaultValueFactory = _ => 10, Description = "store: instances per request." };
        var exec = Many("--exec", "start: NAME=COMMAND that becomes the server; assignments of environment variables may stand before it.");
        var health = Many("--health", "start: NAME=URL that answers 2xx once it is ready.");
        var file = new Option<string?>("--file") { Description = "file: the path below every target's root." };
        var fileRequests = new Option<int>("--file-requests") { Description = "file: requests per round.", DefaultValueFactory = _ => 5 };
        var slowPort = new Option<int>("--slow-port") { Description = "slow-origin: the port on loopback that the slow file server takes.", DefaultValueFactory = _ => 18090 };
        var slowRate = new Option<double>("--slow-rate") { Description = "slow-origin: Mbit/s of its line.", DefaultValueFactory = _ => 40 };
        var slowSizes = new Option<int[]>("--slow-megabytes") { Description = "slow-origin: sizes of the files.", DefaultValueFactory = _ => [10, 50, 200], AllowMultipleArgumentsPerToken = true };
        var fleetOrigin = new Option<string?>("--fleet-origin") { Description = "fleet: the DICOMweb root that the relay passes requests to." };
        var fleetPort = new Option<int>("--fleet-port") { Description = "fleet: the port on loopback of the relay, which the nodes have as their origin.", DefaultValueFactory = _ => 18091 };
        var fleetClients = new Option<int>("--fleet-clients") { Description = "fleet: clients.", DefaultValueFactory = _ => 1000 };
        var parseFolder = new Option<DirectoryInfo?>("--parse-folder") { Description = "parse: a folder of DICOM files." };
        var dcmtk = new Option<FileInfo?>("--dcmtk") { Description = "parse: the program built from Peers/dcmtk-parse.cpp." };

        var command = new Command("versus", "Compare with other servers, interleaved.")
        {
            scenarios, targets, headers, only, frameAccepts, processes, rounds, seed, name, results, series, frames, requests, rate,
            storeFolder, storeLimit, storeConnections, storeBatch, exec, health, parseFolder, dcmtk,
            file, fileRequests, slowPort, slowRate, slowSizes, fleetOrigin, fleetPort, fleetClients,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var asked = parse.GetValue(scenarios)!;
            var all = Target.Parse(parse.GetValue(targets) ?? [], parse.GetValue(headers) ?? [], parse.GetValue(only) ?? [], parse.GetValue(processes) ?? [], parse.GetValue(frameAccepts) ?? []);
            var startedAt = TimeProvider.System.GetUtcNow();
            var started = TimeProvider.System.GetTimestamp();
            var machine = Machine.Read();
            var run = new VersusRun(parse.GetValue(rounds), cancellationToken);
            var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["rounds"] = $"{run.Rounds}" };
            var meters = all.Where(t => t.ProcessId is not null).Select(t => (Target: t.Name, Meter: new ProcessMeter(t.ProcessId!.Value))).ToList();

            if (asked.Any(ReadScenarios.Names.Contains))
            {
                if (all.Count == 0) throw new ArgumentException("Reading needs at least one --target.");
                var paths = SeriesPaths.Find(all.First(t => t.TakesPartIn("search-instances")), parse.GetValue(series), parse.GetValue(frames));
                ReadScenarios.Verify(paths, all);
                parameters["series"] = $"{paths.Instances.Count} instances, frames equal byte for byte on all targets";
                foreach (var scenario in asked)
                {
                    var taking = all.Where(t => t.TakesPartIn(scenario)).ToList();
                    switch (scenario)
                    {
                        case "frames": ReadScenarios.Frames(run, paths, taking, parse.GetValue(requests), parse.GetValue(rate)); break;
                        case "frames-series": ReadScenarios.FramesSeries(run, paths, taking); break;
                        case "metadata": ReadScenarios.Metadata(run, paths, taking, parse.GetValue(requests)); break;
                        case "search-instances": ReadScenarios.SearchInstances(run, paths, taking, parse.GetValue(requests)); break;
                    }
                }
            }

            if (asked.Contains(Htj2kScenarios.Frames) || asked.Contains(Htj2kScenarios.Preview))
            {
                if (all.Count == 0) throw new ArgumentException("Reading needs at least one --target.");
                var asking = Htj2kScenarios.Asking(all);
                var paths = SeriesPaths.Find(asking.First(t => t.TakesPartIn("search-instances")), parse.GetValue(series), parse.GetValue(frames));
                parameters["htj2k series"] = $"{paths.Instances.Count} instances";
                if (asked.Contains(Htj2kScenarios.Frames))
                {
                    var taking = asking.Where(t => t.TakesPartIn(Htj2kScenarios.Frames)).ToList();
                    ReadScenarios.Verify(paths, taking);
                    Htj2kScenarios.RunFrames(run, paths, taking, parse.GetValue(requests));
                }
                if (asked.Contains(Htj2kScenarios.Preview)) Htj2kScenarios.RunPreview(run, paths, [.. asking.Where(t => t.TakesPartIn(Htj2kScenarios.Preview))]);
            }

            if (asked.Contains(TilesScenario.Name))
            {
                if (all.Count == 0) throw new ArgumentException("Reading needs at least one --target.");
                TilesScenario.Run(run, [.. all.Where(t => t.TakesPartIn(TilesScenario.Name))], parse.GetValue(series), parse.GetValue(requests), parse.GetValue(seed));
            }

            if (asked.Any(RenderedScenario.Names.Contains))
            {
                if (all.Count == 0) throw new ArgumentException("Pictures need at least one --target.");
                var paths = SeriesPaths.Find(all[0], parse.GetValue(series), parse.GetValue(frames));
                parameters["pictures of"] = $"{paths.Instances.Count} instances";
                foreach (var scenario in RenderedScenario.Names.Intersect(asked)) RenderedScenario.Run(run, scenario, paths, [.. all.Where(t => t.TakesPartIn(scenario))]);
            }

            if (asked.Contains(StoreScenario.Name))
            {
                var folder = parse.GetValue(storeFolder) ?? throw new ArgumentException("store needs --store-folder.");
                StoreScenario.Run(run, [.. all.Where(t => t.TakesPartIn(StoreScenario.Name))], folder.FullName, parse.GetValue(storeLimit),
                    parse.GetValue(storeConnections), parse.GetValue(storeBatch), parse.GetValue(seed));
            }

            if (asked.Contains(StartScenario.Name))
            {
                var urls = (parse.GetValue(health) ?? []).Select(Target.Split).ToDictionary(h => h.Name, h => h.Value);
                var programs = (parse.GetValue(exec) ?? []).Select(Target.Split)
                    .Select(e => new StartScenario.Program(e.Name, e.Value, urls.GetValueOrDefault(e.Name) ?? throw new ArgumentException($"start needs --health {e.Name}=URL."))).ToList();
                if (programs.Count == 0) throw new ArgumentException("start needs --exec and --health.");
                StartScenario.Run(run, programs, TimeSpan.FromSeconds(60));
            }

            if (asked.Contains(ParseScenario.Name))
            {
                var folder = parse.GetValue(parseFolder) ?? throw new ArgumentException("parse needs --parse-folder.");
                parameters["parsed"] = folder.Name;
                ParseScenario.Run(run, folder.FullName, parse.GetValue(dcmtk)?.FullName);
            }

            if (asked.Contains(FileScenario.Name))
            {
                var path = parse.GetValue(file) ?? throw new ArgumentException("file needs --file.");
                FileScenario.Run(run, [.. all.Where(t => t.TakesPartIn(FileScenario.Name))], path, parse.GetValue(fileRequests));
            }

            if (asked.Contains(SlowOriginScenario.Name))
            {
                await using var origin = await PacedOrigin.StartAsync(parse.GetValue(slowPort), parse.GetValue(slowRate), cancellationToken);
                parameters["line"] = $"{parse.GetValue(slowRate)} Mbit/s";
                SlowOriginScenario.Run(run, [.. all.Where(t => t.TakesPartIn(SlowOriginScenario.Name))], origin, parse.GetValue(slowSizes)!);
            }

            if (asked.Contains(FleetScenario.Name))
            {
                var root = parse.GetValue(fleetOrigin) ?? throw new ArgumentException("fleet needs --fleet-origin.");
                await using var relay = await CountingRelay.StartAsync(parse.GetValue(fleetPort), new Uri(root), cancellationToken);
                var nodes = all.Where(t => t.TakesPartIn(FleetScenario.Name)).ToList();
                if (nodes.Count == 0) throw new ArgumentException("fleet needs the nodes as --target.");
                await FleetScenario.RunAsync(run, nodes, SeriesPaths.Find(nodes[0], parse.GetValue(series), parse.GetValue(frames)), relay, parse.GetValue(fleetClients));
            }

            foreach (var (target, meter) in meters)
            {
                meter.Dispose();
                run.Add("all", target, "peak anonymous memory", "MB", VersusRun.Conditions(), meter.PeakAnonymousBytes / 1e6, 1);
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
                Seed = parse.GetValue(seed),
                Parameters = parameters,
                Targets = new(measurements.Select(m => m.Target).Distinct().ToDictionary(t => t, t => all.FirstOrDefault(a => a.Name == t)?.FrameAccept ?? ""), StringComparer.Ordinal),
                Measurements = measurements,
                Ratios = measurements.Count == 0 ? [] : Ratio.Compute(measurements, measurements[0].Target == all.FirstOrDefault()?.Name ? measurements[0].Target : all.FirstOrDefault()?.Name ?? measurements[0].Target),
            };
            Console.WriteLine(MarkdownTable.Print(result));
            if (parse.GetValue(results) is { } folderToKeep) Console.WriteLine(Path.GetRelativePath(Environment.CurrentDirectory, result.WriteTo(folderToKeep.FullName)));
            return measurements.Any(m => m.Errors > 0) ? 1 : 0;
        });
        return command;

        static Option<string[]> Many(string name, string description) => new(name) { Description = description };
    }
}
