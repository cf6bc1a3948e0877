using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Web.Administration;
using Web.Cache;

namespace Web.Origins;

public sealed record OriginList(IReadOnlyList<OriginInfo> Origins);

/// <summary>One origin as ImageApi tells of it: without its credentials.</summary>
public sealed record OriginInfo
{
    public string Name { get; init; } = "";
    public string Kind { get; init; } = "";
    public bool HoldsStudies { get; init; }
    public bool HoldsFiles { get; init; }
    public bool IsWritable { get; init; }
    public bool IsEditable { get; init; }
    public string? Address { get; init; }

    /// <summary>local, unknown, healthy, failing, open.</summary>
    public string State { get; init; } = "";
    public DateTimeOffset? Since { get; init; }
    public string? LastError { get; init; }
    public DateTimeOffset? LastErrorAt { get; init; }
    public long? Requests { get; init; }
    public long? Failures { get; init; }
    public long? Bytes { get; init; }
    public double? P50Milliseconds { get; init; }
}

/// <summary>The settings of one origin, and the names of the secrets that are set.</summary>
public sealed record OriginDetails(string Name, bool IsEditable, IReadOnlyList<string> Secrets, JsonObject Settings);

/// <summary>ImageApi's origins, as the page needs them.</summary>
internal sealed class OriginsClient(AdministrationClient api, CacheClient cache)
{
    public async Task<IReadOnlyList<OriginInfo>> GetAllAsync(CancellationToken cancellationToken) =>
        (await api.GetAsync("/api/origins", OriginsJson.Default.OriginList, cancellationToken)).Origins;

    public Task<OriginDetails> GetAsync(string name, CancellationToken cancellationToken) =>
        api.GetAsync("/api/origins/" + Uri.EscapeDataString(name), OriginsJson.Default.OriginDetails, cancellationToken);

    public async Task AddAsync(string name, JsonObject settings, CancellationToken cancellationToken)
    {
        settings["name"] = name;
        (await api.SendAsync(HttpMethod.Post, "/api/origins", Body(settings), null, cancellationToken)).Dispose();
    }

    public async Task ReplaceAsync(string name, JsonObject settings, CancellationToken cancellationToken) =>
        (await api.SendAsync(HttpMethod.Put, "/api/origins/" + Uri.EscapeDataString(name), Body(settings), null, cancellationToken)).Dispose();

    public async Task RemoveAsync(string name, CancellationToken cancellationToken) =>
        (await api.SendAsync(HttpMethod.Delete, "/api/origins/" + Uri.EscapeDataString(name), null, null, cancellationToken)).Dispose();

    /// <summary>What is cached of an origin, and goes with it.</summary>
    public Task<CacheCleared> MeasureAsync(string name, CancellationToken cancellationToken) => cache.MeasureAsync(new ClearScope("origin", name), cancellationToken);

    private static StringContent Body(JsonObject settings) => new(settings.ToJsonString(), null, "application/json");
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(OriginList))]
[JsonSerializable(typeof(OriginDetails))]
internal sealed partial class OriginsJson : JsonSerializerContext;
