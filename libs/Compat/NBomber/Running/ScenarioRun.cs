using System.Diagnostics;
using NBomber.Contracts;
using NBomber.Contracts.Stats;

namespace NBomber.Running;

/// <summary>One scenario of a session: warms up, runs its simulations one after the other, counts.</summary>
internal sealed class ScenarioRun(ScenarioProps scenario, int index, Action<string> stopAll, CancellationToken stopping) : IScenarioInitContext
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly Measurements _ok = new(), _failed = new();
    private readonly Dictionary<string, (Measurements Ok, Measurements Failed, int Order)> _steps = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Task> _running = [];
    private TimeSpan _counted;
    private int _copies, _injected;

    public ScenarioProps Scenario => scenario;

    public ScenarioInfo ScenarioInfo { get; } = new(scenario.ScenarioName, 0, TimeSpan.Zero, ScenarioOperation.Init);

    public void StopAll(string reason) => stopAll(reason);

    public void Record(ScenarioOperation operation, string? step, TimeSpan duration, IResponse response)
    {
        if (operation != ScenarioOperation.Bombing) return;
        var (ok, failed) = (_ok, _failed);
        if (step is not null)
        {
            lock (_gate)
            {
                if (!_steps.TryGetValue(step, out var measured)) _steps[step] = measured = (new Measurements(), new Measurements(), _steps.Count);
                (ok, failed, _) = measured;
            }
        }

        (response.IsError ? failed : ok).Add(duration, response.SizeBytes, response.StatusCode, response.Message);
        if (step is null && response.IsError && _failed.Count >= scenario.MaxFailCount) stopAll($"Scenario {scenario.ScenarioName} failed {scenario.MaxFailCount} times.");
    }

    public async Task RunAsync(TimeSpan completionTimeout)
    {
        if (scenario.Run is null) return;
        if (scenario.WarmUpDuration > TimeSpan.Zero)
        {
            var first = scenario.LoadSimulations[0];
            await PlayAsync([new LoadSimulation(first.Kind, first.Value, first.Interval, scenario.WarmUpDuration)], ScenarioOperation.WarmUp, completionTimeout);
        }

        var started = Stopwatch.GetTimestamp();
        await PlayAsync(scenario.LoadSimulations, ScenarioOperation.Bombing, completionTimeout);
        _counted = Stopwatch.GetElapsedTime(started);
    }

    public ScenarioStats ToStats()
    {
        int ok = _ok.Count, failed = _failed.Count;
        return new ScenarioStats
        {
            ScenarioName = scenario.ScenarioName,
            Ok = _ok.ToStats(_counted, ok + failed, isError: false),
            Fail = _failed.ToStats(_counted, ok + failed, isError: true),
            StepStats = [.. _steps.OrderBy(static step => step.Value.Order).Select(step => new StepStats
            {
                StepName = step.Key,
                Ok = step.Value.Ok.ToStats(_counted, step.Value.Ok.Count + step.Value.Failed.Count, isError: false),
                Fail = step.Value.Failed.ToStats(_counted, step.Value.Ok.Count + step.Value.Failed.Count, isError: true),
                SortIndex = step.Value.Order,
            })],
            AllRequestCount = ok + failed,
            AllOkCount = ok,
            AllFailCount = failed,
            AllBytes = _ok.Bytes + _failed.Bytes,
            Duration = _counted,
            SortIndex = index,
        };
    }

    private async Task PlayAsync(IReadOnlyList<LoadSimulation> simulations, ScenarioOperation operation, TimeSpan completionTimeout)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        (_copies, _injected) = (0, 0);
        var before = 0;
        try
        {
            foreach (var simulation in simulations)
            {
                if (simulation.IsOpen) await InjectAsync(simulation, before, operation, ending.Token);
                else await HoldAsync(simulation, before, operation, ending.Token);
                if (simulation.Kind != SimulationKind.Pause) before = simulation.Value;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        Volatile.Write(ref _copies, 0);   // each copy ends with the iteration it is in
        Task[] left;
        lock (_gate) left = [.. _running.Values];
        var all = Task.WhenAll(left);
        if (await Task.WhenAny(all, Task.Delay(completionTimeout, stopping)) != all) await ending.CancelAsync();
        await all;
    }

    /// <summary>Closed: so many copies that loop, each beginning anew when it is done.</summary>
    private async Task HoldAsync(LoadSimulation simulation, int before, ScenarioOperation operation, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < simulation.During)
        {
            var wanted = simulation.Kind switch
            {
                SimulationKind.Pause => 0,
                SimulationKind.RampingConstant => (int)Math.Round(before + (simulation.Value - before) * (elapsed / simulation.During)),
                _ => simulation.Value,
            };
            Volatile.Write(ref _copies, wanted);
            for (var copy = 0; copy < wanted; copy++) StartCopy(copy, operation, simulation.During, cancellationToken);
            var left = simulation.During - elapsed;
            await Task.Delay(left < Tick ? left : Tick, cancellationToken);
        }
    }

    private void StartCopy(int copy, ScenarioOperation operation, TimeSpan during, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_running.TryGetValue(copy, out var running) && !running.IsCompleted) return;
            _running[copy] = Task.Run(LoopAsync, CancellationToken.None);
        }

        async Task LoopAsync()
        {
            var context = Context(copy, operation, during, cancellationToken);
            while (copy < Volatile.Read(ref _copies) && !cancellationToken.IsCancellationRequested) await context.IterateAsync(scenario.Run!);
        }
    }

    /// <summary>Open: iterations begin when they are due, whatever became of those before; evenly over the interval.</summary>
    private async Task InjectAsync(LoadSimulation simulation, int before, ScenarioOperation operation, CancellationToken cancellationToken)
    {
        var from = simulation.Kind == SimulationKind.Inject ? simulation.Value : before;
        var seconds = simulation.During.TotalSeconds;
        var started = Stopwatch.GetTimestamp();
        for (long begun = 0; ;)
        {
            var at = Math.Min(seconds, Stopwatch.GetElapsedTime(started).TotalSeconds);
            // The integral of a rate that goes evenly from one value to the other.
            var due = (long)Math.Floor((from * at + (simulation.Value - from) * at * at / (2 * seconds)) / simulation.Interval.TotalSeconds);
            for (; begun < due; begun++) StartOne(operation, simulation.During, cancellationToken);
            if (at >= seconds) return;
            await Task.Delay(1, cancellationToken);
        }
    }

    private void StartOne(ScenarioOperation operation, TimeSpan during, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _injected) - 1;
        lock (_gate)
        {
            _running[number] = Task.Run(async () =>
            {
                await Context(number, operation, during, cancellationToken).IterateAsync(scenario.Run!);
                lock (_gate) _running.Remove(number);
            }, CancellationToken.None);
        }
    }

    private IterationContext Context(int copy, ScenarioOperation operation, TimeSpan during, CancellationToken cancellationToken) =>
        new(this, new ScenarioInfo(scenario.ScenarioName, copy, during, operation), (index << 20) ^ copy, cancellationToken);
}
