using System.Diagnostics;
using NBomber.Contracts;
using NBomber.Contracts.Stats;

namespace NBomber.Running;

/// <summary>One run of all scenarios: initialise, warm up, run, clean, count.</summary>
internal sealed class Session(NBomberContext context)
{
    public async Task<NodeStats> RunAsync()
    {
        Validate();
        using var stopping = new CancellationTokenSource();
        var runs = context.Scenarios.Select((scenario, index) => new ScenarioRun(scenario, index, Stop, stopping.Token)).ToArray();
        var created = TimeProvider.System.GetUtcNow().UtcDateTime;
        var started = Stopwatch.GetTimestamp();
        foreach (var run in runs)
        {
            if (run.Scenario.Init is { } init) await init(run);
        }

        try
        {
            await Task.WhenAll(runs.Select(run => run.RunAsync(context.CompletionTimeout)));
        }
        finally
        {
            foreach (var run in runs)
            {
                if (run.Scenario.Clean is { } clean) await CleanAsync(run, clean);
            }
        }

        var stats = runs.Select(static run => run.ToStats()).ToArray();
        return new NodeStats
        {
            ScenarioStats = stats,
            Thresholds = [.. context.Scenarios.SelectMany(scenario => scenario.Thresholds.Select(threshold => Check(threshold, stats.First(scenarioStats => scenarioStats.ScenarioName == scenario.ScenarioName))))],
            NodeInfo = new NodeInfo { MachineName = Environment.MachineName, OS = Environment.OSVersion.ToString(), DotNetVersion = Environment.Version.ToString(), CoresCount = Environment.ProcessorCount, NBomberVersion = "stand-in" },
            TestInfo = new TestInfo { SessionId = Guid.NewGuid().ToString("N"), TestSuite = context.TestSuite, TestName = context.TestName, Created = created },
            AllRequestCount = stats.Sum(static scenario => scenario.AllRequestCount),
            AllOkCount = stats.Sum(static scenario => scenario.AllOkCount),
            AllFailCount = stats.Sum(static scenario => scenario.AllFailCount),
            AllBytes = stats.Sum(static scenario => scenario.AllBytes),
            Duration = Stopwatch.GetElapsedTime(started),
        };

        void Stop(string reason)
        {
            if (!stopping.IsCancellationRequested) Console.Error.WriteLine(reason);
            stopping.Cancel();
        }
    }

    private static async Task CleanAsync(ScenarioRun run, Func<IScenarioInitContext, Task> clean)
    {
        try
        {
            await clean(run);
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync($"Cleaning scenario {run.Scenario.ScenarioName} failed: {exception.Message}");   // what was measured stands
        }
    }

    private static ThresholdResult Check(Threshold threshold, ScenarioStats stats)
    {
        var result = new ThresholdResult { ScenarioName = stats.ScenarioName, CheckExpression = threshold.Expression };
        try
        {
            result.IsFailed = !threshold.CheckScenario(stats);
        }
        catch (Exception exception)
        {
            (result.IsFailed, result.ExceptionMsg) = (true, exception.Message);
        }

        return result;
    }

    private void Validate()
    {
        if (context.Scenarios.Count == 0) throw new InvalidOperationException("No scenario is registered.");
        if (context.Scenarios.Select(static scenario => scenario.ScenarioName).Distinct(StringComparer.Ordinal).Count() != context.Scenarios.Count) throw new InvalidOperationException("Scenario names are not unique.");
        foreach (var scenario in context.Scenarios)
        {
            if (string.IsNullOrWhiteSpace(scenario.ScenarioName)) throw new InvalidOperationException("A scenario has no name.");
            if (scenario.LoadSimulations.Count == 0) throw new InvalidOperationException($"Scenario {scenario.ScenarioName} has no load simulation.");
            if (scenario.LoadSimulations.Any(static simulation => simulation.Value < 0 || simulation.During <= TimeSpan.Zero || (simulation.IsOpen && simulation.Interval <= TimeSpan.Zero)))
                throw new InvalidOperationException($"Scenario {scenario.ScenarioName} has a load simulation without duration, or of less than nothing.");
            if (scenario.LoadSimulations.Where(static simulation => simulation.Kind != SimulationKind.Pause).Select(static simulation => simulation.IsOpen).Distinct().Count() > 1)
                throw new InvalidOperationException($"Scenario {scenario.ScenarioName} mixes open and closed load.");
        }
    }
}
