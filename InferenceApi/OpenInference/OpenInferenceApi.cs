using System.Reflection;
using System.Text.Json.Nodes;
using InferenceApi.Predictions;
using InferenceApi.Problems;
using InferenceApi.Sessions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Models;
using Platform.Onnx;

namespace InferenceApi.OpenInference;

/// <summary>The Open Inference Protocol, version 2, over REST, with its binary tensor data extension: what clients of KServe and Triton speak.</summary>
internal static class OpenInferenceApi
{

    public static IServiceCollection AddOpenInference(this IServiceCollection services)
    {
        services.AddOptions<OpenInferenceOptions>().BindConfiguration(OpenInferenceOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OpenInferenceOptions>, OpenInferenceOptionsValidator>());
        return services;
    }

    public static RouteGroupBuilder MapOpenInferenceApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/v2").WithTags("Open Inference Protocol");
        group.MapGet("/", GetServer).WithName("ServerMetadata");
        group.MapGet("/health/live", static () => TypedResults.Ok()).WithName("ServerLive");
        group.MapGet("/health/ready", GetReady).WithName("ServerReady");
        foreach (var (model, suffix) in new[] { ("/models/{model}", ""), ("/models/{model}/versions/{version}", "OfVersion") })
        {
            group.MapGet(model, GetModel).WithName($"ModelMetadata{suffix}").ProducesProblem(StatusCodes.Status404NotFound);
            group.MapGet($"{model}/ready", GetModelReady).WithName($"ModelReady{suffix}").ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
            group.MapPost($"{model}/infer", InferAsync).WithName($"Infer{suffix}")
                .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status413PayloadTooLarge)
                .ProducesProblem(StatusCodes.Status422UnprocessableEntity).ProducesProblem(StatusCodes.Status503ServiceUnavailable).ProducesProblem(StatusCodes.Status504GatewayTimeout);
        }
        return group;
    }

    private static IResult GetServer() => Json(new JsonObject
    {
        ["name"] = "platform-inference",
        ["version"] = typeof(OpenInferenceApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0],
        ["extensions"] = new JsonArray("binary_tensor_data"),
    });

    /// <summary>Ready when models can be run; never waits for one.</summary>
    private static IResult GetReady() => OnnxRuntimeLibrary.WhyUnavailable is { } missing ? ExceptionProblems.Of(new OnnxUnavailableException(missing)) : TypedResults.Ok();

    /// <summary>What the manifest says: a model need not be loaded to be described. -1 stands for an open dimension.</summary>
    private static IResult GetModel(string model, string? version, IModelFiles models)
    {
        var manifest = Find(models, model, version);
        return Json(new JsonObject
        {
            ["name"] = manifest.Name,
            ["versions"] = new JsonArray(manifest.Version),
            ["platform"] = "onnxruntime_onnx",
            ["inputs"] = new JsonArray([.. manifest.Inputs.Select(static input => Describe(input.Name, input.Element, input.Shape))]),
            ["outputs"] = new JsonArray([.. manifest.Outputs.Select(static output => Describe(output.Name, output.Element, output.Shape))]),
        });
    }

    /// <summary>200 where a prediction can be asked for: the model is loaded, or its files are here and will be loaded then.</summary>
    private static IResult GetModelReady(string model, string? version, IModelFiles models, ModelSessions sessions)
    {
        var manifest = Find(models, model, version);
        if (OnnxRuntimeLibrary.WhyUnavailable is { } missing) return ExceptionProblems.Of(new OnnxUnavailableException(missing));
        var reason = sessions.FailureOf(manifest.Name)?.Message ?? (models.IsHere(manifest) ? null : $"The files of {manifest.Name} are not here.");
        return reason is null ? TypedResults.Ok() : new Problem(ProblemTypes.InvalidModel, "Model not ready", StatusCodes.Status503ServiceUnavailable, reason);
    }

    private static async Task InferAsync(HttpContext context, string model, string? version, IModelFiles models, ModelSessions sessions, PredictionService predictions, IOptions<OpenInferenceOptions> options)
    {
        var cancellationToken = context.RequestAborted;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = options.Value.MaxBodyBytes;
        var manifest = Find(models, model, version);
        using var lease = await sessions.AcquireAsync(manifest.Name, cancellationToken);
        using var body = await InferBody.ReadAsync(context.Request, lease.Model.Session, options.Value, predictions, cancellationToken);
        var chosen = InferAnswer.Choose(body.Request, lease.Model.Session);
        var outputs = await predictions.PredictAsync(lease.Model, body.Inputs, Callers.Of(context), body.Request.Timeout, cancellationToken);
        try
        {
            await InferAnswer.WriteAsync(context, lease.Model, body.Request, chosen, outputs);
        }
        finally
        {
            foreach (var output in outputs) output.Dispose();
        }
    }

    private static ModelManifest Find(IModelFiles models, string name, string? version)
    {
        var manifest = models.Find(name) ?? throw new ModelException(ModelFault.NotFound, $"There is no model '{name}'.");
        return version is null || version == manifest.Version ? manifest : throw new ModelException(ModelFault.NotFound, $"The model {manifest.Name} has the version {manifest.Version}, not '{version}'.");
    }

    private static JsonObject Describe(string name, TensorElement element, IEnumerable<Platform.Models.Dimension> shape) => new()
    {
        ["name"] = name,
        ["datatype"] = Datatypes.NameOf(element),
        ["shape"] = new JsonArray([.. shape.Select(static dimension => JsonValue.Create(dimension.Size > 0 ? dimension.Size : -1))]),
    };

    private static Microsoft.AspNetCore.Http.HttpResults.ContentHttpResult Json(JsonObject value) => TypedResults.Text(value.ToJsonString(), "application/json");
}
