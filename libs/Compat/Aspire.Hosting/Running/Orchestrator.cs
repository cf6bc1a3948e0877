using System.Diagnostics;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Running;

/// <summary>Runs the resources of a model: ports first, then every resource as soon as what it waits for is ready; on stop in the opposite order.</summary>
internal sealed class Orchestrator(
    IResourceCollection resources,
    BuildOutput build,
    IHostEnvironment host,
    IConfiguration configuration,
    Terminal terminal,
    TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>What has not ended by itself this long after the stop is killed.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3.5);

    private readonly ProcessLauncher _launcher = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(5) };
    private RunContext? _context;
    private Runner[] _runners = [];
    private Task _announcement = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _context = new RunContext(terminal, _launcher, time, build);
        _runners = [.. resources.Select(Create)];
        foreach (var runner in _runners)
        {
            runner.Dependencies = [.. runner.Resource.Annotations.OfType<WaitAnnotation>().Select(wait => RunnerOf(wait.Dependency))];
        }
        var stages = Stages();
        terminal.Introduce(_runners.Select(runner => runner.Name));
        terminal.Say($"{host.EnvironmentName}, {build.Configuration}: starting {string.Join(", ", stages.SelectMany(stage => stage).Select(runner => runner.Name))}");
        foreach (var moved in Ports.Allocate(resources))
        {
            terminal.Say($"port {moved.Wished} is taken: {moved.Resource.Name} gets {moved.Endpoint.AllocatedPort}");
        }
        foreach (var runner in _runners)
        {
            runner.Start();
        }
        _announcement = AnnounceAsync();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_context is null)
        {
            return;
        }
        terminal.Say("stopping");
        await _stopped.CancelAsync();
        _context.KillAfter(StopTimeout);
        foreach (var stage in Stages().Reverse())
        {
            await Task.WhenAll(stage.Select(runner => runner.StopAsync()));
        }
        await _announcement;
        terminal.Say("stopped");
    }

    public void Dispose()
    {
        _launcher.Dispose();
        _http.Dispose();
        _stopped.Dispose();
    }

    private Runner Create(IResource resource) => resource switch
    {
        ProjectResource project => new ProjectRunner(project, _context!, host, configuration, _http),
        RedisResource redis => new RedisRunner(redis, _context!),
        _ => throw new DistributedApplicationException($"The resource '{resource.Name}' is of a kind that this host cannot run: {resource.GetType().Name}."),
    };

    private Runner RunnerOf(IResource resource) => _runners.FirstOrDefault(runner => ReferenceEquals(runner.Resource, resource))
        ?? throw new DistributedApplicationException($"The resource '{resource.Name}' is waited for but is not part of the model.");

    /// <summary>The runners in the order of what they wait for and refer to, each stage needing only those before it.</summary>
    private IReadOnlyList<IReadOnlyList<Runner>> Stages()
    {
        var needs = _runners.ToDictionary(runner => runner, runner => runner.Resource.Annotations
            .Select(annotation => annotation switch { WaitAnnotation wait => wait.Dependency, ReferenceAnnotation reference => reference.Other, _ => null })
            .OfType<IResource>().Select(RunnerOf).ToHashSet());
        var stages = new List<IReadOnlyList<Runner>>();
        var rest = _runners.ToList();
        while (rest.Count > 0)
        {
            var stage = rest.Where(runner => !needs[runner].Overlaps(rest)).ToArray();
            if (stage.Length == 0)
            {
                throw new DistributedApplicationException($"These resources wait for each other: {string.Join(", ", rest.Select(runner => runner.Name))}.");
            }
            stages.Add(stage);
            rest.RemoveAll(stage.Contains);
        }
        return stages;
    }

    /// <summary>The table when every resource has had its first news, and again when all are up if some were not.</summary>
    private async Task AnnounceAsync()
    {
        try
        {
            await Task.WhenAll(_runners.Select(runner => runner.Outcome)).WaitAsync(_stopped.Token);
            var allUp = Task.WhenAll(_runners.Select(runner => runner.Ready));
            if (!allUp.IsCompleted)
            {
                terminal.Block(ResourceTable.Lines(_runners, terminal));
                await allUp.WaitAsync(_stopped.Token);
            }
            using var self = Process.GetCurrentProcess();
            var elapsed = time.GetUtcNow() - self.StartTime.ToUniversalTime();
            terminal.Block([.. ResourceTable.Lines(_runners, terminal), string.Empty, $"  All up {elapsed.TotalSeconds:0.0} s after the start. Ctrl+C stops everything."]);
        }
        catch (OperationCanceledException)
        {
            // Stopped before everything was up.
        }
    }
}
