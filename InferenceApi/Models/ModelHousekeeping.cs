using Platform.Models;

namespace InferenceApi.Models;

/// <summary>Removes, once after the start, what processes that died left in the store. Nothing waits for it.</summary>
internal sealed class ModelHousekeeping(ModelManager models, ILogger<ModelHousekeeping> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            var freed = await models.Store.CollectAsync(stoppingToken);
            if (freed > 0) logger.Collected(freed);
            foreach (var problem in models.Catalogue.Problems) logger.ManifestLeftOut(problem);
        }
        catch (Exception exception) when (exception is ModelException or IOException or UnauthorizedAccessException)
        {
            logger.NotCollected(exception.Message);
        }
    }
}
