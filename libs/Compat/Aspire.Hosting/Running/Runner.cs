using System.ComponentModel;
using System.Diagnostics;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Running;

internal enum RunState
{
    Waiting,
    Building,
    Starting,
    Running,
    Restarting,
    Unhealthy,
    Failed,
    LeftOut,
    Stopped,
}

/// <summary>
/// One resource of this run, from its first wait to its end: waits for what it depends on, starts its process, watches its health,
/// starts it again when it dies, and stops it when told to.
/// </summary>
internal abstract class Runner(IResource resource, RunContext context)
{
    private static readonly TimeSpan FirstRestartDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRestartDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SteadyAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FirstAsking = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan SlowestAsking = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HealthyInterval = TimeSpan.FromSeconds(10);
    private const int KeptLines = 20;

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<string> _kept = new();
    private Task _run = Task.CompletedTask;

    public string Name => resource.Name;

    public IResource Resource => resource;

    public RunState State { get; private set; } = RunState.Waiting;

    /// <summary>What the table says beside the state: why it waits, failed or was left out.</summary>
    public string Detail { get; private set; } = string.Empty;

    /// <summary>From the start of the process to its first healthy answer.</summary>
    public TimeSpan? TimeToReady { get; private set; }

    /// <summary>Completes when the resource was ready once, or when this run goes without it.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Completes with the first news: ready, left out, failed, died, or slow.</summary>
    public Task Outcome => _outcome.Task;

    public IReadOnlyList<Runner> Dependencies { get; set; } = [];

    protected RunContext Context => context;

    protected CancellationToken Stopping => _stop.Token;

    /// <summary>Whether the process's own lines are shown only when it dies.</summary>
    protected virtual bool IsQuiet => false;

    public void Start() => _run = RunAsync();

    /// <summary>Ends the resource; its group is killed when <see cref="RunContext.KillAt"/> comes.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _run;
    }

    /// <summary>The command that starts the resource; null when it failed or is left out, which the runner has then said.</summary>
    protected abstract Task<ProcessCommand?> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Null when the resource is healthy, else what is wrong.</summary>
    protected abstract Task<string?> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the running process should give way to a new build of it.</summary>
    protected virtual Task ReplacementAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    /// <summary>Between the end of the old process and the start of its replacement.</summary>
    protected virtual Task ReplaceAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The process has ended for good.</summary>
    protected virtual void CleanUp()
    {
    }

    protected void Fail(string reason)
    {
        Become(RunState.Failed, reason);
        context.Terminal.Say(reason, Name);
        _outcome.TrySetResult();
    }

    protected void LeaveOut(string reason)
    {
        Become(RunState.LeftOut, reason);
        context.Terminal.Say($"is left out of this run: {reason}", Name);
        _outcome.TrySetResult();
        _ready.TrySetResult();
    }

    protected void Become(RunState state, string detail = "") => (State, Detail) = (state, detail);

    private async Task RunAsync()
    {
        try
        {
            await WaitForDependenciesAsync();
            if (await PrepareAsync(Stopping) is { } command)
            {
                await KeepRunningAsync(command);
            }
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            Become(RunState.Stopped);
        }
        catch (Exception exception)
        {
            Fail($"cannot be run: {exception.Message}");
        }
        finally
        {
            CleanUp();
        }
    }

    private async Task WaitForDependenciesAsync()
    {
        var ready = Task.WhenAll(Dependencies.Select(dependency => dependency.Ready)).WaitAsync(Stopping);
        while (!ready.IsCompleted)
        {
            var late = Dependencies.Where(dependency => !dependency.Ready.IsCompleted).ToArray();
            Become(RunState.Waiting, $"for {string.Join(", ", late.Select(dependency => dependency.Name))}");
            await Task.WhenAny([ready, .. late.Select(dependency => dependency.Outcome)]);
            if (late.FirstOrDefault(dependency => dependency.Outcome.IsCompleted && !dependency.Ready.IsCompleted) is not null)
            {
                _outcome.TrySetResult();
                break;
            }
        }
        await ready;
    }

    private async Task KeepRunningAsync(ProcessCommand command)
    {
        var delay = FirstRestartDelay;
        while (true)
        {
            var started = Stopwatch.GetTimestamp();
            var reason = await RunOnceAsync(command);
            if (reason is null)
            {
                await ReplaceAsync(Stopping);
                delay = FirstRestartDelay;
                continue;
            }
            delay = Stopwatch.GetElapsedTime(started) > SteadyAfter ? FirstRestartDelay : delay;
            Become(RunState.Restarting, reason);
            context.Terminal.Say($"{reason} after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s; starts again in {delay.TotalSeconds:0.#} s", Name);
            _outcome.TrySetResult();
            await Task.Delay(delay, context.Time, Stopping);
            delay = delay * 2 < LastRestartDelay ? delay * 2 : LastRestartDelay;
        }
    }

    /// <summary>Runs the process to its end; the reason says how it ended, null that a new build takes its place.</summary>
    private async Task<string?> RunOnceAsync(ProcessCommand command)
    {
        Become(RunState.Starting);
        var started = Stopwatch.GetTimestamp();
        ChildProcess child;
        try
        {
            child = await context.Launcher.StartAsync(command, Hear);
        }
        catch (Win32Exception exception)
        {
            return $"cannot be started ({exception.Message})";
        }
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        var health = WatchHealthAsync(started, ended.Token);
        var replacement = ReplacementAsync(ended.Token);
        try
        {
            await Task.WhenAny(child.Exited, replacement).WaitAsync(Stopping);
            if (child.Exited.IsCompleted)
            {
                var code = await child.Exited;
                RepeatKept();
                return code > 128 ? $"was ended by signal {code - 128}" : $"ended with exit code {code}";
            }
            await replacement;
            using var kill = new CancellationTokenSource(Orchestrator.StopTimeout, context.Time);
            await child.StopAsync(kill.Token);
            return null;
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAny(replacement);
            await health;
            if (!child.Exited.IsCompleted)
            {
                await child.StopAsync(context.KillAt);
            }
        }
    }

    private void Hear(string line)
    {
        if (!IsQuiet)
        {
            context.Terminal.Line(Name, line);
            return;
        }
        lock (_kept)
        {
            _kept.Enqueue(line);
            if (_kept.Count > KeptLines)
            {
                _kept.Dequeue();
            }
        }
    }

    private void RepeatKept()
    {
        lock (_kept)
        {
            while (_kept.TryDequeue(out var line))
            {
                context.Terminal.Line(Name, line);
            }
        }
    }

    /// <summary>Asks often until the first healthy answer, then now and then.</summary>
    private async Task WatchHealthAsync(long started, CancellationToken cancellationToken)
    {
        try
        {
            var wait = FirstAsking;
            while (true)
            {
                var wrong = await ProbeAsync(cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                if (wrong is null && State != RunState.Running)
                {
                    if (State == RunState.Unhealthy)
                    {
                        context.Terminal.Say("is healthy", Name);
                    }
                    TimeToReady = Stopwatch.GetElapsedTime(started);
                    Become(RunState.Running);
                    _outcome.TrySetResult();
                    _ready.TrySetResult();
                }
                else if (wrong is not null && (State == RunState.Running || (State == RunState.Starting && Stopwatch.GetElapsedTime(started) > SlowAfter)))
                {
                    Become(RunState.Unhealthy, wrong);
                    context.Terminal.Say($"is not healthy: {wrong}", Name);
                    _outcome.TrySetResult();
                }
                wait = State == RunState.Running ? HealthyInterval : wait < SlowestAsking ? wait * 1.1 : wait;
                await Task.Delay(wait, context.Time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The process has ended, or should.
        }
    }
}

/// <summary>What the runners of one run share.</summary>
internal sealed class RunContext(Terminal terminal, ProcessLauncher launcher, TimeProvider time, BuildOutput build)
{
    private readonly CancellationTokenSource _kill = new();

    public Terminal Terminal => terminal;

    public ProcessLauncher Launcher => launcher;

    public TimeProvider Time => time;

    public BuildOutput Build => build;

    /// <summary>One build at a time: projects share what they reference.</summary>
    public SemaphoreSlim Building { get; } = new(1);

    /// <summary>Comes some time after the host was told to stop: what still runs then is killed.</summary>
    public CancellationToken KillAt => _kill.Token;

    public void KillAfter(TimeSpan time) => _kill.CancelAfter(time);
}
