using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Web.Hosting;

/// <summary>
/// Asks this service for its own list once it has started, so that the first person does not wait while the page's code is
/// compiled (about 300 ms of processor time). Whether it succeeds matters to nobody.
/// </summary>
internal sealed class WarmUp(IServer server, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var onStarted = lifetime.ApplicationStarted.Register(started.SetResult);
        try
        {
            await started.Task.WaitAsync(stoppingToken);
            var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
            if (!Uri.TryCreate(address, UriKind.Absolute, out var self) || !self.IsLoopback) return;
            using var http = new HttpClient { BaseAddress = self };
            using var answer = await http.GetAsync(new Uri("/", UriKind.Relative), stoppingToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
        }
    }
}
