using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ImageApi.Problems;
using ImageApi.Settings;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>The settings of the tiers: <c>/api/cache/settings</c>.</summary>
internal sealed record CacheSettingsView(IReadOnlyList<CacheSettingValue> Settings)
{
    /// <summary>Names the values: it changes when one of them does.</summary>
    [JsonIgnore]
    public string EntityTag { get; } = '"' + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', Settings.Select(static setting => $"{setting.Name}={setting.Value}|{setting.Configured}|{setting.IsSet}")))).AsSpan(0, 16)) + '"';
}

/// <summary>One setting as it holds now.</summary>
/// <param name="Name">Its name in the configuration below <c>TieredCache</c>.</param>
/// <param name="Unit">bytes, items or duration.</param>
/// <param name="Value">What holds; absent where nothing is said.</param>
/// <param name="Configured">What holds when it is not set here.</param>
/// <param name="IsSet">Whether it was set at run time.</param>
/// <param name="TakesRestart">Whether it was set and holds only after a restart.</param>
/// <param name="About">What it does.</param>
internal sealed record CacheSettingValue(string Name, SettingUnit Unit, string? Value, string? Configured, bool IsSet, bool TakesRestart, string About);

/// <summary>
/// The sizes and times of the tiers that can change while the service runs. What is set at run time wins over the configuration, is kept in a file, and
/// holds after a restart; a setting that is left out of a change goes back to what is configured.
/// </summary>
internal sealed class CacheSettings(IConfiguration configuration, IOptions<SettingsOptions> options, IServiceProvider services, ILogger<CacheSettings> logger) : IDisposable
{
    private const string FileName = "cache.json";

    private readonly SettingsFile<Dictionary<string, string>> _file = new(Path.Combine(options.Value.Path!, FileName), CacheAdminJson.Default.DictionaryStringString, logger);
    private readonly SemaphoreSlim _changing = new(1);
    private Dictionary<string, string>? _set;

    /// <summary>Lays what was set at run time over options that hold the configuration.</summary>
    public void Overlay(TieredCacheOptions tiers) => Bind(tiers, Set);

    /// <summary>What holds now.</summary>
    public CacheSettingsView Read() => View(Set);

    /// <summary>Replaces what is set at run time, keeps it, and puts it in force.</summary>
    /// <param name="wanted">Values by name; what is absent or null goes back to what is configured.</param>
    /// <param name="isCurrent">Whether the entity tag that the caller saw is this one.</param>
    /// <param name="cancellationToken">Ends the wait for a change that is under way.</param>
    /// <returns>The new settings, or why nothing was changed.</returns>
    public async Task<(CacheSettingsView? Changed, Problem? Problem)> ReplaceAsync(IReadOnlyDictionary<string, JsonElement> wanted, Func<string, bool> isCurrent, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (!isCurrent(Read().EntityTag))
                return (null, new Problem(ProblemTypes.PreconditionFailed, "Precondition failed", StatusCodes.Status412PreconditionFailed, "The settings were changed since you looked at them."));
            if (Check(wanted, out var problem) is not { } set) return (null, problem);
            try
            {
                _file.Write(set.Count == 0 ? null : set);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return (null, new Problem(ProblemTypes.StorageFull, "Settings could not be kept", StatusCodes.Status507InsufficientStorage, "The settings file cannot be written; nothing was changed."));
            }
            var before = Set;
            _set = set;
            // Past this point the change is made: a caller that leaves does not undo half of it.
            await ApplyAsync(CancellationToken.None);
            logger.SettingsChanged(string.Join(", ", set.Except(before).Concat(before.Except(set)).Select(static pair => pair.Key).Distinct()));
            return (Read(), null);
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    private Dictionary<string, string> Set => _set ??= Load();

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        var cache = services.GetRequiredService<ICacheAdministration>();
        var (tiers, reserved) = (Effective(Set), cache.Bounds.MemoryReservedBytes);
        await cache.ApplyAsync(cache.Bounds with
        {
            MemoryBytes = Math.Min(tiers.Memory.CapacityBytes, reserved),
            DiskBytes = tiers.Disk.CapacityBytes,
            DiskItems = tiers.Disk.CapacityItems,
            DiskTtl = tiers.Disk.Ttl,
            DiskMinFreeBytes = tiers.Disk.MinFreeBytes,
            RedisTtl = tiers.Redis.Ttl,
            Kinds = new KindPolicies(tiers.Kinds),
        }, cancellationToken);
    }

    private CacheSettingsView View(Dictionary<string, string> set)
    {
        var (effective, configured) = (Effective(set), Effective([]));
        var reserved = services.GetRequiredService<ICacheAdministration>().Bounds.MemoryReservedBytes;
        return new CacheSettingsView(
        [
            .. CacheSetting.All.Select(setting => new CacheSettingValue(setting.Name, setting.Unit, setting.ValueIn(effective), setting.ValueIn(configured), set.ContainsKey(setting.Name),
                setting.Name == "Memory:CapacityBytes" && effective.Memory.CapacityBytes >> 20 > reserved >> 20, setting.About)),
        ]);
    }

    private static Dictionary<string, string>? Check(IReadOnlyDictionary<string, JsonElement> wanted, out Problem? problem)
    {
        var set = NewSet();
        var failures = new JsonObject();
        foreach (var (name, value) in wanted)
        {
            if (value.ValueKind == JsonValueKind.Null) continue;
            var setting = CacheSetting.All.FirstOrDefault(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            var text = value.ValueKind switch { JsonValueKind.String => value.GetString()!, JsonValueKind.Number => value.GetRawText(), _ => "" };
            string? wrong = "There is no such setting.";
            if (setting?.Normalize(text, out wrong) is { } normal) set[setting.Name] = normal;
            else failures[name.Length > 100 ? name[..100] : name] = wrong;
        }
        problem = failures.Count == 0 ? null : new Problem(ProblemTypes.InvalidSettings, "Settings that cannot be", StatusCodes.Status400BadRequest,
            string.Join(' ', failures.Select(static failure => $"{failure.Key}: {failure.Value}")))
        {
            Members = new Dictionary<string, JsonNode> { ["errors"] = failures },
        };
        return problem is null ? set : null;
    }

    private Dictionary<string, string> Load()
    {
        var set = NewSet();
        var refused = new List<string>();
        foreach (var (name, value) in _file.Read() ?? [])
        {
            var setting = CacheSetting.All.FirstOrDefault(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (setting?.Normalize(value, out _) is { } normal) set[setting.Name] = normal;
            else refused.Add(name);
        }
        if (refused.Count > 0) logger.SettingsRefused(string.Join(", ", refused));
        return set;
    }

    private TieredCacheOptions Effective(Dictionary<string, string> set)
    {
        var tiers = new TieredCacheOptions();
        configuration.GetSection(TieredCacheOptions.SectionName).Bind(tiers);
        Bind(tiers, set);
        return tiers;
    }

    private static void Bind(TieredCacheOptions tiers, Dictionary<string, string> set) =>
        new ConfigurationBuilder().AddInMemoryCollection(set.Select(static pair => KeyValuePair.Create(pair.Key, (string?)pair.Value))).Build().Bind(tiers);

    private static Dictionary<string, string> NewSet() => new(StringComparer.OrdinalIgnoreCase);
}
