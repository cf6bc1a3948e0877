using System.Text.Json.Nodes;
using InferenceApi.Batching;
using InferenceApi.Predictions;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.Sessions;

/// <summary>What is in memory, on which device, and why not on another.</summary>
internal static class SessionsApi
{
    public static IServiceCollection AddSessions(this IServiceCollection services)
    {
        services.AddOptions<SessionsOptions>().BindConfiguration(SessionsOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SessionsOptions>, SessionsOptionsValidator>());
        services.AddOptions<BatchingOptions>().BindConfiguration(BatchingOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<BatchingOptions>, BatchingOptionsValidator>());
        services.AddOptions<PredictionsOptions>().BindConfiguration(PredictionsOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PredictionsOptions>, PredictionsOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelFiles, StoreModels>();
        services.TryAddSingleton<PredictionMetrics>();
        services.TryAddSingleton<ModelSessions>();
        services.TryAddSingleton<PredictionService>();
        return services;
    }

    public static IEndpointRouteBuilder MapSessionsApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/sessions").WithTags("Sessions");
        group.MapGet("/", GetStatus).WithName("Sessions");
        return app;
    }

    private static IResult GetStatus(ModelSessions sessions, PredictionService predictions, IOptions<SessionsOptions> options) => TypedResults.Text(new JsonObject
    {
        ["runtime"] = new JsonObject
        {
            ["available"] = OnnxRuntimeLibrary.IsAvailable,
            ["version"] = OnnxRuntimeLibrary.Version,
            ["providers"] = new JsonArray([.. OnnxRuntimeLibrary.Providers.Select(static provider => JsonValue.Create(provider))]),
            ["reason"] = OnnxRuntimeLibrary.WhyUnavailable,
        },
        ["device"] = options.Value.Device,
        ["memory"] = new JsonObject { ["bytes"] = sessions.Bytes, ["limit"] = options.Value.MemoryBytes, ["predictions"] = predictions.BytesInFlight },
        ["loads"] = sessions.Loads,
        ["sessions"] = new JsonArray([.. sessions.Loaded.OrderBy(static model => model.Manifest.Name, StringComparer.Ordinal).Select(Describe)]),
    }.ToJsonString(), "application/json");

    private static JsonObject Describe(ModelSession model) => new()
    {
        ["model"] = model.Manifest.Name,
        ["version"] = model.Manifest.Version,
        ["bytes"] = model.Bytes,
        ["loadMilliseconds"] = Math.Round(model.LoadTime.TotalMilliseconds, 1),
        ["device"] = model.Session.Device.Device.ToString(),
        ["refused"] = new JsonArray([.. model.Session.Device.Refusals.Select(static refusal => new JsonObject { ["device"] = refusal.Device.ToString(), ["reason"] = refusal.Reason })]),
        ["threads"] = model.Queue.Plan.Threads,
        ["workers"] = model.Queue.Plan.Workers,
        ["maxBatch"] = model.Queue.Plan.MaxBatch,
        ["millisecondsPerSample"] = Math.Round(model.Queue.Plan.PerSample.TotalMilliseconds, 3),
        ["waiting"] = model.Queue.Waiting,
    };
}
