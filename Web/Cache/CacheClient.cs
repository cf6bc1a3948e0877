using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Web.Administration;

namespace Web.Cache;

/// <summary>What can be cleared: everything, or what one scope names.</summary>
/// <param name="Scope">tier, kind, study, series, origin; null for everything.</param>
/// <param name="Value">Which.</param>
public sealed record ClearScope(string? Scope, string? Value)
{
    private static readonly string[] Known = ["tier", "kind", "study", "series", "origin"];

    /// <summary>What a form says; null where that is nothing.</summary>
    public static ClearScope? Read(string? scope, string? value) => (scope, value?.Trim()) switch
    {
        ("all", _) => new ClearScope(null, null),
        ({ } name, { Length: > 0 and <= 100 } text) when Known.Contains(name) => new ClearScope(name, text),
        _ => null,
    };

    /// <summary>For people: "everything in every tier", "the disk tier", "what came from origin pacs1".</summary>
    public string Text => Scope switch
    {
        null => "everything, in every tier",
        "tier" => $"the {Value} tier",
        "kind" => $"every {Value!.ToLowerInvariant()} value",
        "origin" => $"what came from origin {Value}",
        _ => $"what belongs to this {Scope}",
    };
}

/// <summary>ImageApi's cache, as the page needs it.</summary>
internal sealed class CacheClient(AdministrationClient api)
{
    public Task<CacheStats> GetStatsAsync(CancellationToken cancellationToken) => api.GetAsync("/api/cache/stats", CacheJson.Default.CacheStats, cancellationToken);

    public Task<CacheHistory> GetHistoryAsync(CancellationToken cancellationToken) => api.GetAsync("/api/cache/history", CacheJson.Default.CacheHistory, cancellationToken);

    public Task<CacheScrub> GetScrubAsync(CancellationToken cancellationToken) => api.GetAsync("/api/cache/scrub", CacheJson.Default.CacheScrub, cancellationToken);

    public Task<Tagged<CacheSettings>> GetSettingsAsync(CancellationToken cancellationToken) => api.GetTaggedAsync("/api/cache/settings", CacheJson.Default.CacheSettings, cancellationToken);

    public async Task<IReadOnlyList<CacheEntry>> GetEntriesAsync(string tier, string order, int limit, CancellationToken cancellationToken) =>
        (await api.GetAsync($"/api/cache/entries?tier={tier}&order={order}&limit={limit}", CacheJson.Default.CacheEntries, cancellationToken)).Entries;

    /// <summary>What a clear would free. Nothing is cleared.</summary>
    public async Task<CacheCleared> MeasureAsync(ClearScope scope, CancellationToken cancellationToken)
    {
        try
        {
            await api.SendAsync(HttpMethod.Post, "/api/cache/clear", Body(scope, isConfirmed: false), null, CacheJson.Default.CacheCleared, cancellationToken);
        }
        catch (RefusedException exception) when (exception.Problem is { ValueKind: JsonValueKind.Object } problem
            && problem.TryGetProperty("type", out var type) && type.GetString() == "urn:platform:problem:confirmation-required")
        {
            return problem.Deserialize(CacheJson.Default.CacheCleared)!;
        }

        throw new InvalidOperationException("ImageApi cleared without a confirmation.");
    }

    public async Task<CacheCleared> ClearAsync(ClearScope scope, CancellationToken cancellationToken) =>
        (await api.SendAsync(HttpMethod.Post, "/api/cache/clear", Body(scope, isConfirmed: true), null, CacheJson.Default.CacheCleared, cancellationToken)).Value;

    public async Task StartScrubAsync(CancellationToken cancellationToken) => (await api.SendAsync(HttpMethod.Post, "/api/cache/scrub", null, null, cancellationToken)).Dispose();

    public async Task CancelScrubAsync(CancellationToken cancellationToken) => (await api.SendAsync(HttpMethod.Delete, "/api/cache/scrub", null, null, cancellationToken)).Dispose();

    public Task PutSettingsAsync(Dictionary<string, string> values, string entityTag, CancellationToken cancellationToken) =>
        api.SendAsync(HttpMethod.Put, "/api/cache/settings", JsonContent.Create(values, CacheJson.Default.DictionaryStringString), entityTag, CacheJson.Default.CacheSettings, cancellationToken);

    private static StringContent Body(ClearScope scope, bool isConfirmed)
    {
        var body = new JsonObject { ["confirm"] = isConfirmed };
        if (scope.Scope is { } name) body[name] = scope.Value;
        return new StringContent(body.ToJsonString(), null, "application/json");
    }
}
