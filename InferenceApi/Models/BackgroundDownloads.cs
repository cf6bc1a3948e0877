using Platform.Models;

namespace InferenceApi.Models;

/// <summary>Downloads that nobody waits for; each ends with itself or with the service, and the next attempt goes on where it was.</summary>
internal sealed class BackgroundDownloads(ModelManager models, IHostApplicationLifetime lifetime, ILogger<BackgroundDownloads> logger)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _failures = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The last failure of each model, until it is tried again.</summary>
    public IReadOnlyList<(string Model, string Reason)> Failures
    {
        get { lock (_lock) return [.. _failures.Select(static failure => (failure.Key, failure.Value))]; }
    }

    /// <summary>Begins, where it is not under way.</summary>
    public void Begin(string name)
    {
        name = models.Find(name).Manifest.Name;
        lock (_lock)
        {
            if (!_running.Add(name)) return;
            _failures.Remove(name);
        }
        _ = RunAsync(name);
    }

    private async Task RunAsync(string name)
    {
        string? failure = null;
        try
        {
            await models.DownloadAsync(name, null, lifetime.ApplicationStopping);
        }
        catch (ModelException exception)
        {
            failure = exception.Message;
            logger.DownloadFailed(name, failure);
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
        finally
        {
            lock (_lock)
            {
                _running.Remove(name);
                if (failure is not null) _failures[name] = failure;
            }
        }
    }
}
