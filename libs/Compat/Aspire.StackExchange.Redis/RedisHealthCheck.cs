using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Aspire.StackExchange.Redis;

/// <summary>
/// Pings. Redis is a tier that a service can do without: its absence degrades, it does not make the service unready,
/// and the check answers within a second whatever the server does (asynchronous calls of 1.x know no timeout).
/// </summary>
internal sealed class RedisHealthCheck(Func<IConnectionMultiplexer> resolve) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // Resolving connects, which may block for seconds when packets are dropped: not on this thread.
            var connection = await Task.Run(resolve, cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            await connection.GetDatabase().PingAsync().WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Degraded("Redis does not answer; the service runs without that tier.", exception);
        }
    }
}

/// <summary>Connects in the background when the host starts.</summary>
internal sealed class RedisActivation(Func<IConnectionMultiplexer> resolve) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = Task.Run(resolve, CancellationToken.None).ContinueWith(static task => _ = task.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
