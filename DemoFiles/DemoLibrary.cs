using System.Security.Cryptography;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace DemoFiles;

/// <summary>One file: its bytes and their strong entity tag.</summary>
internal sealed record DemoFile(string Name, byte[] Bytes, string EntityTag);

/// <summary>The files, made once when the service starts. Until then it is alive and not ready.</summary>
internal sealed class DemoLibrary(IOptions<DemoFilesOptions> options) : BackgroundService, IHealthCheck
{
    /// <summary>The same on every machine: the files are a function of their sizes.</summary>
    public static readonly DateTimeOffset Modified = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    private readonly TaskCompletionSource<IReadOnlyList<DemoFile>> _made = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<IReadOnlyList<DemoFile>> GetAsync(CancellationToken cancellationToken) => _made.Task.WaitAsync(cancellationToken);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_made.Task.IsCompletedSuccessfully ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The files are being made."));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // a second of computing: the server starts beside it
        var head = HeadPhantom.Make(options.Value.Columns, options.Value.Slices);
        _made.SetResult([Of("head-t1.nii", head), Of("head-t1.nii.gz", HeadPhantom.Gzip(head))]);
    }

    private static DemoFile Of(string name, byte[] bytes) => new(name, bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
}
