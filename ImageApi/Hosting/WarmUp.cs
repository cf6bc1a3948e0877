using System.Text.Json;
using ImageApi.Catalog;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace ImageApi.Hosting;

internal sealed class WarmUpOptions
{
    public const string SectionName = "ImageApi:WarmUp";

    /// <summary>Whether the service asks itself for the newest study once, when it is ready. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How long to wait for the catalog to hold anything. Default 1 minute.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>
/// Asks the service, over its own socket, for what the first person will ask for: the list, the newest study, its manifest, a frame. So the first person
/// does not wait for code to be compiled (0.3 to 0.7 s on two busy cores), and finds the documents of the newest study made.
/// </summary>
internal sealed class WarmUp(IServer server, IHostApplicationLifetime lifetime, ICatalog catalog, TimeProvider time, IOptions<WarmUpOptions> options, ILogger<WarmUp> logger) : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled)
            return;
        try
        {
            await StartedAsync(stoppingToken);
            var since = time.GetTimestamp();
            while (catalog.Status is not { IsReconciled: true, InstanceCount: > 0 })
            {
                if (time.GetElapsedTime(since) > options.Value.Patience)
                    return;
                await Task.Delay(PollInterval, time, stoppingToken);
            }
            if (Address() is not { } address)
                return;
            using var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
            await AskAsync(client, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            logger.WarmUpFailed(exception.GetType().Name);
        }
    }

    private static async Task AskAsync(HttpClient client, CancellationToken cancellationToken)
    {
        using var studies = await ReadAsync(client, "/dicomweb/studies?limit=1&orderby=StudyDate:desc,StudyTime:desc", cancellationToken);
        if (studies.RootElement.GetArrayLength() == 0)
            return;
        var study = studies.RootElement[0].GetProperty("0020000D").GetProperty("Value")[0].GetString();
        using var series = await ReadAsync(client, $"/dicomweb/studies/{study}/series?limit=1", cancellationToken);
        var uid = series.RootElement[0].GetProperty("0020000E").GetProperty("Value")[0].GetString();
        using var manifest = await ReadAsync(client, $"/api/series/{uid}/manifest", cancellationToken);
        // Browsers take the brotli variant: it is made from the text above.
        await SendAsync(client, $"/api/series/{uid}/manifest", "Accept-Encoding", "br", cancellationToken);
        var frames = manifest.RootElement.GetProperty("frames");
        if (frames.GetArrayLength() == 0)
            return;
        var frame = frames[frames.GetArrayLength() / 2].GetProperty("url").GetString()!;
        await SendAsync(client, frame, "Accept", "application/octet-stream;transfer-syntax=*", cancellationToken);
        if (manifest.RootElement.TryGetProperty("preview", out _))
            await SendAsync(client, frame, "Accept", "image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202", cancellationToken);
    }

    private static async Task<JsonDocument> ReadAsync(HttpClient client, string path, CancellationToken cancellationToken)
    {
        await using var stream = await client.GetStreamAsync(path, cancellationToken);
        return await JsonDocument.ParseAsync(stream, cancellationToken: cancellationToken);
    }

    private static async Task SendAsync(HttpClient client, string path, string header, string value, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    private Uri? Address()
    {
        foreach (var address in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            var reachable = address.Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal)
                .Replace("://[::]", "://localhost", StringComparison.Ordinal).Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal);
            if (Uri.TryCreate(reachable, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp)
                return uri;
        }
        return null;
    }
}
