using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Web.Administration;

namespace Web.Models;

/// <summary>The answer to <c>GET /api/models/status</c>, as far as the page shows it.</summary>
public sealed record ModelsStatus
{
    public IReadOnlyList<ModelInfo> Models { get; init; } = [];
    public IReadOnlyList<ModelDownload> Downloads { get; init; } = [];
    public IReadOnlyList<ModelFailure> Failures { get; init; } = [];
    public IReadOnlyList<string> Problems { get; init; } = [];
}

public sealed record ModelInfo
{
    public string Name { get; init; } = "";
    public string Title { get; init; } = "";
    public string Version { get; init; } = "";
    public string Task { get; init; } = "";
    public string Licence { get; init; } = "";

    /// <summary>absent, stored, outdated, broken, downloading.</summary>
    public string State { get; init; } = "";
    public bool Runs { get; init; }
    public string? RunsAfter { get; init; }
    public long? DownloadBytes { get; init; }
    public StoredModel? Stored { get; init; }
    public IReadOnlyList<LoadedModel> Loaded { get; init; } = [];
}

public sealed record StoredModel(string Version, long Bytes, bool Pinned, bool InUse, DateTimeOffset LastUsedAt, IReadOnlyList<ModelFormat> Formats);

public sealed record ModelFormat(string Format, long Bytes);

public sealed record LoadedModel(string Device, long Bytes, double LoadMilliseconds);

public sealed record ModelDownload(string Model, string Stage, string? File, long BytesDone, long? BytesTotal);

public sealed record ModelFailure(string Model, string Detail);

/// <summary>The answer to <c>GET /api/models/cache/info</c>.</summary>
public sealed record ModelsInfo
{
    public string Directory { get; init; } = "";
    public int Models { get; init; }
    public int Files { get; init; }
    public long Bytes { get; init; }
    public long CapacityBytes { get; init; }
    public long FreeBytes { get; init; }
    public long OptimizedBytes { get; init; }
    public string Health { get; init; } = "";
    public IReadOnlyList<string> Problems { get; init; } = [];
    public IReadOnlyList<ModelFormat> Formats { get; init; } = [];
}

public sealed record ModelsVerified(bool Sound, IReadOnlyList<ModelFinding> Findings);

public sealed record ModelFinding(string Problem, string? Model, string Item, long Bytes, string Repair);

public sealed record ModelOptimized(string Model, bool Kept);

/// <summary>InferenceApi's models, from server to server: a browser never sends it anything itself.</summary>
internal sealed class ModelsClient(HttpClient http)
{
    private readonly AdministrationClient _api = new(http);

    public Task<ModelsStatus> GetStatusAsync(CancellationToken cancellationToken) => _api.GetAsync("/api/models/status", ModelsJson.Default.ModelsStatus, cancellationToken);

    public Task<ModelsInfo> GetInfoAsync(CancellationToken cancellationToken) => _api.GetAsync("/api/models/cache/info", ModelsJson.Default.ModelsInfo, cancellationToken);

    /// <summary>Begins; the status tells how far it is.</summary>
    public Task DownloadAsync(string model, CancellationToken cancellationToken) => SendAsync("download", new JsonObject { ["model"] = model, ["wait"] = false }, cancellationToken);

    public Task PinAsync(string model, bool isPinned, CancellationToken cancellationToken) => SendAsync("pin", new JsonObject { ["model"] = model, ["pinned"] = isPinned }, cancellationToken);

    public async Task<ModelOptimized> OptimizeAsync(string model, CancellationToken cancellationToken) =>
        (await _api.SendAsync(HttpMethod.Post, "/api/models/cache/optimize", Body(new JsonObject { ["model"] = model }), null, ModelsJson.Default.ModelOptimized, cancellationToken)).Value;

    public async Task<ModelsVerified> VerifyAsync(bool repair, CancellationToken cancellationToken) =>
        (await _api.SendAsync(HttpMethod.Post, "/api/models/verify", Body(new JsonObject { ["repair"] = repair }), null, ModelsJson.Default.ModelsVerified, cancellationToken)).Value;

    public async Task RemoveAsync(string model, CancellationToken cancellationToken) =>
        (await _api.SendAsync(HttpMethod.Delete, "/api/models/" + Uri.EscapeDataString(model), null, null, cancellationToken)).Dispose();

    private async Task SendAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        (await _api.SendAsync(HttpMethod.Post, "/api/models/" + path, Body(body), null, cancellationToken)).Dispose();

    private static StringContent Body(JsonObject body) => new(body.ToJsonString(), null, "application/json");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ModelsStatus))]
[JsonSerializable(typeof(ModelsInfo))]
[JsonSerializable(typeof(ModelsVerified))]
[JsonSerializable(typeof(ModelOptimized))]
internal sealed partial class ModelsJson : JsonSerializerContext;
