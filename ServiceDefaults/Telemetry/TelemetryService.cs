using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace ServiceDefaults.Telemetry;

/// <summary>Owns the providers: they live as long as the host and are flushed when it stops.</summary>
internal sealed class TelemetryService(TracerProvider traces, MeterProvider metrics) : IHostedService, IDisposable
{
    private const int FlushMilliseconds = 2000;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        traces.ForceFlush(FlushMilliseconds);
        metrics.ForceFlush(FlushMilliseconds);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        traces.Dispose();
        metrics.Dispose();
    }
}
