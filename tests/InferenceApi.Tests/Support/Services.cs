using System.Diagnostics.Metrics;
using InferenceApi.Batching;
using InferenceApi.Predictions;
using InferenceApi.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace InferenceApi.Tests.Support;

/// <summary>Parts of the service without its web server.</summary>
internal static class Services
{
    public static PredictionMetrics Metrics { get; } = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    public static ModelSessions Sessions(ModelFolder models, Action<SessionsOptions>? configure = null, TimeSpan? measureFor = null)
    {
        var options = new SessionsOptions { Device = "cpu" };
        configure?.Invoke(options);
        return new ModelSessions(new FolderModels(models.Path), Options.Create(options),
            Options.Create(new BatchingOptions { MeasureFor = measureFor ?? TimeSpan.Zero }), Metrics, TimeProvider.System, NullLogger<ModelSessions>.Instance);
    }
}
