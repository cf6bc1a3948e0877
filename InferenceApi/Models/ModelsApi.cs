using System.Text.Json.Nodes;
using InferenceApi.Problems;
using InferenceApi.Sessions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Models;

namespace InferenceApi.Models;

/// <summary>The model manager over HTTP. docs/models.md has the answers.</summary>
internal static class ModelsApi
{
    private static readonly TimeSpan UnloadPatience = TimeSpan.FromSeconds(5), UnloadPoll = TimeSpan.FromMilliseconds(20);

    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddOptions<ModelsOptions>().BindConfiguration(ModelsOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ModelsOptions>, ModelsOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelOptimiser, ChildOptimiser>();
        services.TryAddSingleton<BackgroundDownloads>();
        services.TryAddSingleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<ModelsOptions>>().Value;
            var time = provider.GetRequiredService<TimeProvider>();
            var fetching = new ModelFetchOptions { MaxFileBytes = options.MaxFileBytes };
            foreach (var host in options.PlainHttpHosts) fetching.PlainHttpHosts.Add(host);
            foreach (var host in options.AllowedHosts) fetching.AllowedHosts.Add(host);
            var store = new ModelStore(new ModelStoreOptions { Path = options.Path, CapacityBytes = options.CapacityBytes, MinFreeBytes = options.MinFreeBytes }, time);
            return new ModelManager(store, new ModelFetcher(new HttpMessageInvoker(ModelFetcher.CreateHandler()), fetching, time), ModelCatalogue.ShippedFolder, provider.GetRequiredService<IModelOptimiser>(), time);
        });
        services.AddHostedService<ModelHousekeeping>();
        return services;
    }

    public static IEndpointRouteBuilder MapModelsApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/models").WithTags("Models");
        group.MapGet("/status", GetStatus).WithName("ModelStatus");
        group.MapGet("/cache/info", GetCacheInfo).WithName("ModelCacheInfo");
        group.MapPost("/cache/clear", ClearAsync).WithName("ClearModels");
        group.MapPost("/cache/optimize", OptimizeAsync).WithName("OptimizeModel");
        group.MapPost("/cache/export", ExportAsync).WithName("ExportModel");
        group.MapPost("/cache/import", ImportAsync).WithName("ImportModel");
        group.MapPost("/download", DownloadAsync).WithName("DownloadModel");
        group.MapPost("/verify", VerifyAsync).WithName("VerifyModels");
        group.MapPost("/pin", PinAsync).WithName("PinModel");
        group.MapDelete("/{model}", DeleteAsync).WithName("DeleteModel");
        return app;
    }

    private static IResult GetStatus(ModelManager models, ModelSessions sessions, BackgroundDownloads background) => Json(ModelJson.Status(models, sessions, background));

    private static IResult GetCacheInfo(ModelManager models) => Json(ModelJson.Info(models));

    private static async Task<IResult> ClearAsync(HttpRequest request, ModelManager models, ModelSessions sessions, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["confirm", "model"], cancellationToken);
        var model = body.Text("model");
        if (!body.Flag("confirm"))
        {
            var would = models.Store.List().Where(stored => model is null ? !stored.IsPinned : string.Equals(stored.Name, model, StringComparison.OrdinalIgnoreCase)).ToList();
            return new Problem(ProblemTypes.ConfirmationRequired, "Confirmation required", StatusCodes.Status400BadRequest,
                $"This removes {would.Count} models, {would.Sum(static stored => stored.Bytes)} bytes. Send {{\"confirm\": true}}.")
            {
                Members = new Dictionary<string, JsonNode> { ["models"] = would.Count, ["bytes"] = would.Sum(static stored => stored.Bytes) },
            };
        }
        foreach (var loaded in sessions.Loaded.Where(loaded => model is null || string.Equals(loaded.Manifest.Name, model, StringComparison.OrdinalIgnoreCase))) sessions.Unload(loaded.Manifest.Name);
        return Json(await RemoveAsync(models, model, cancellationToken));
    }

    private static async Task<IResult> DeleteAsync(string model, ModelManager models, ModelSessions sessions, CancellationToken cancellationToken)
    {
        sessions.Unload(model);
        return Json(await RemoveAsync(models, model, cancellationToken));
    }

    private static async Task<IResult> OptimizeAsync(HttpRequest request, ModelManager models, ModelSessions sessions, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["model"], cancellationToken);
        var name = body.Needed("model");
        var isKept = await models.OptimiseAsync(name, cancellationToken);
        if (isKept) sessions.Unload(name);   // the next who asks gets the faster file
        return Json(new JsonObject { ["model"] = models.Find(name).Manifest.Name, ["kept"] = isKept });
    }

    private static async Task<IResult> ExportAsync(HttpRequest request, ModelManager models, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["model", "format"], cancellationToken);
        var (name, formatName) = (body.Needed("model"), body.Text("format") ?? "package");
        var format = default(WeightFormat);
        if (formatName != "package" && !WeightFormats.TryParse(formatName, out format)) throw new ModelException(ModelFault.Invalid, $"A format is package or one of {string.Join(", ", WeightFormats.Names)}.");
        var known = models.Find(name).Manifest;
        var file = models.CreateTemporaryFile();
        try
        {
            if (formatName == "package") await models.ExportPackageAsync(name, file, cancellationToken);
            else await models.ExportWeightsAsync(name, format, file, cancellationToken);
            file.Position = 0;
            // The stream is the answer's now, which disposes it; with it the file goes.
            return TypedResults.Stream(file, "application/octet-stream", formatName == "package" ? ModelManager.PackageNameOf(known.Name, known.Version) : $"{known.Name}.{formatName}");
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>The body is the file, <c>application/octet-stream</c>: a form of another site could not send that.</summary>
    private static async Task<IResult> ImportAsync(HttpContext context, string fileName, string? name, string? graphOf, bool? replace, ModelManager models, ModelSessions sessions, IOptions<ModelsOptions> options, CancellationToken cancellationToken)
    {
        if (context.Request.ContentType != "application/octet-stream")
            return new Problem(ProblemTypes.UnsupportedMediaType, "Unsupported media type", StatusCodes.Status415UnsupportedMediaType, "The body is the file itself: application/octet-stream.");
        var max = options.Value.MaxFileBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = max;
        await using var file = models.CreateTemporaryFile();
        await models.CheckRoomAsync(context.Request.ContentLength ?? 0, cancellationToken);
        await context.Request.Body.CopyToAsync(file, cancellationToken);
        await file.FlushAsync(cancellationToken);
        var imported = await models.ImportAsync(file.Name, fileName, name, graphOf, replace ?? false, null, cancellationToken);
        sessions.Unload(imported);
        return Json(ModelJson.Model(models.Find(imported), sessions), StatusCodes.Status201Created);
    }

    /// <summary>With <c>Accept: text/event-stream</c> the progress, then <c>done</c> or <c>failed</c>; with <c>"wait": false</c> 202 at once; else one answer at the end.</summary>
    private static async Task<IResult> DownloadAsync(HttpRequest request, ModelManager models, ModelSessions sessions, BackgroundDownloads background, TimeProvider time, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["model", "wait"], cancellationToken);
        var name = body.Needed("model");
        _ = models.Catalogue.Find(name) ?? throw new ModelException(ModelFault.NotFound, models.Store.List().Any(stored => string.Equals(stored.Name, name, StringComparison.OrdinalIgnoreCase))
            ? $"{name} was imported: the catalogue does not say where it comes from." : $"The catalogue has no model '{(ManifestReader.IsName(name) ? name : "?")}'.");
        if (request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)) return new DownloadEvents(models, name, time);
        if (!body.Flag("wait", otherwise: true))
        {
            background.Begin(name);
            return Json(ModelJson.Model(models.Find(name), sessions), StatusCodes.Status202Accepted);
        }
        await models.DownloadAsync(name, null, cancellationToken);
        return Json(ModelJson.Model(models.Find(name), sessions));
    }

    private static async Task<IResult> VerifyAsync(HttpRequest request, ModelManager models, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["model", "repair"], cancellationToken);
        return Json(ModelJson.Findings(await models.VerifyAsync(body.Text("model"), body.Flag("repair"), null, cancellationToken)));
    }

    private static async Task<IResult> PinAsync(HttpRequest request, ModelManager models, ModelSessions sessions, CancellationToken cancellationToken)
    {
        var body = await ModelRequest.ReadAsync(request, ["model", "pinned"], cancellationToken);
        await models.Store.SetPinnedAsync(body.Needed("model"), body.Flag("pinned"), cancellationToken);
        return Json(ModelJson.Model(models.Find(body.Needed("model")), sessions));
    }

    /// <summary>A model that was just unloaded may be held for a moment longer, by the last run with it.</summary>
    private static async Task<JsonObject> RemoveAsync(ModelManager models, string? model, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var (removed, freed) = await models.ClearAsync(model, cancellationToken);
                var held = model is null ? models.Store.List().Where(static stored => !stored.IsPinned).Select(static stored => stored.Name).ToArray() : [];
                if (held.Length == 0 || TimeProvider.System.GetElapsedTime(since) > UnloadPatience)
                    return new JsonObject { ["removed"] = new JsonArray([.. removed.Select(static name => (JsonNode)name)]), ["freedBytes"] = freed, ["inUse"] = new JsonArray([.. held.Select(static name => (JsonNode)name)]) };
            }
            catch (ModelException failure) when (failure.Fault == ModelFault.Busy && TimeProvider.System.GetElapsedTime(since) < UnloadPatience)
            {
            }
            await Task.Delay(UnloadPoll, cancellationToken);
        }
    }

    private static IResult Json(JsonObject json, int status = StatusCodes.Status200OK) => TypedResults.Text(json.ToJsonString(), "application/json", statusCode: status);
}
