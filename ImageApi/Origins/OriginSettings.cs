using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ImageApi.Settings;
using Microsoft.Extensions.Options;

namespace ImageApi.Origins;

/// <summary>
/// Which origins there are: those of the configuration, which only the configuration changes, and those that were added at run time, which are kept in a
/// file that its owner alone may read, because it holds their credentials.
/// </summary>
internal sealed class OriginSettings(IOptions<SettingsOptions> options, ILogger<OriginSettings> logger)
{
    private const string FileName = "origins.json";

    private readonly SettingsFile<Dictionary<string, OriginOptions>> _file = new(Path.Combine(options.Value.Path!, FileName), OriginSettingsJson.Default.DictionaryStringOriginOptions, logger);
    private Dictionary<string, OriginOptions> _configured = NewSet();
    private volatile Dictionary<string, OriginOptions> _kept = NewSet();

    /// <summary>Adds the origins of the file to those of the configuration, which win where a name is in both.</summary>
    public void Overlay(OriginsOptions origins)
    {
        _configured = new Dictionary<string, OriginOptions>(origins.Origins, StringComparer.OrdinalIgnoreCase);
        var kept = NewSet();
        var refused = new List<string>();
        foreach (var (name, origin) in _file.Read() ?? [])
        {
            if (_configured.ContainsKey(name) || OriginsOptionsValidator.Check(name, origin).Any()) refused.Add(name);
            else kept[name] = origins.Origins[name] = origin;
        }
        _kept = kept;
        if (refused.Count > 0) logger.SettingsRefused(string.Join(", ", refused));
    }

    /// <summary>Every origin by name, the store aside.</summary>
    public IReadOnlyDictionary<string, OriginOptions> All
    {
        get
        {
            var all = new Dictionary<string, OriginOptions>(_configured, StringComparer.OrdinalIgnoreCase);
            foreach (var (name, origin) in _kept) all[name] = origin;
            return all;
        }
    }

    /// <summary>Those that were added at run time. Not to be changed: <see cref="Keep(string, OriginOptions?)"/> makes another.</summary>
    public Dictionary<string, OriginOptions> Kept => _kept;

    /// <summary>Whether the origin was added at run time, and so can be changed at run time.</summary>
    public bool IsEditable(string name) => _kept.ContainsKey(name);

    public bool Exists(string name) => _kept.ContainsKey(name) || _configured.ContainsKey(name);

    public OriginOptions? Find(string name) => _kept.GetValueOrDefault(name) ?? _configured.GetValueOrDefault(name);

    /// <summary>Keeps an origin, or forgets it where <paramref name="origin"/> is null. One change at a time.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing was changed.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void Keep(string name, OriginOptions? origin)
    {
        var kept = new Dictionary<string, OriginOptions>(_kept, StringComparer.OrdinalIgnoreCase);
        if (origin is null) kept.Remove(name);
        else kept[name] = origin;
        Keep(kept);
    }

    /// <summary>Keeps these origins and no others.</summary>
    public void Keep(Dictionary<string, OriginOptions> origins)
    {
        _file.Write(origins.Count == 0 ? null : origins);
        _kept = origins;
    }

    private static Dictionary<string, OriginOptions> NewSet() => new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>An origin's settings as a document: they come in with credentials and go out without.</summary>
internal static class OriginDocument
{
    /// <summary>What proves to an origin who we are: taken in, and never given out again.</summary>
    private static readonly string[] Secrets = ["username", "password", "bearerToken", "accessKey", "secretKey"];

    private const string Headers = "headers";

    /// <summary>The settings without their secrets, and the names of those that are set: <c>password</c>, <c>headers:X-Key</c>.</summary>
    public static (JsonObject Settings, JsonArray Secrets) Show(OriginOptions origin)
    {
        var settings = ToJson(origin);
        var set = new JsonArray();
        foreach (var name in Secrets)
        {
            if (settings[name]?.GetValue<string>() is { Length: > 0 }) set.Add(name);
            settings.Remove(name);
        }
        foreach (var field in origin.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase)) set.Add($"{Headers}:{field}");
        settings.Remove(Headers);
        return (settings, set);
    }

    /// <summary>
    /// The origin that a document describes. What it leaves out has its default, but for secrets: one that is left out stays as <paramref name="before"/>
    /// has it, one that is null or empty is taken away. A header whose value is null stays too.
    /// </summary>
    /// <returns>The origin; or null and what is wrong.</returns>
    public static OriginOptions? Read(JsonObject document, OriginOptions? before, out string? wrong)
    {
        wrong = null;
        var wanted = (JsonObject)document.DeepClone();
        var old = before is null ? null : ToJson(before);
        var keeps = false;
        foreach (var name in Secrets)
        {
            if (wanted.ContainsKey(name)) wanted[name] = wanted[name] ?? "";
            else if (old?[name]?.GetValue<string>() is { Length: > 0 } secret) (wanted[name], keeps) = (secret, true);
        }
        if (!wanted.TryGetPropertyValue(Headers, out var headers))
        {
            if (before is { Headers.Count: > 0 }) (wanted[Headers], keeps) = (old![Headers]!.DeepClone(), true);
        }
        else if (headers is JsonObject fields)
        {
            foreach (var field in fields.Where(static field => field.Value is null).Select(static field => field.Key).ToArray())
            {
                if (before?.Headers.TryGetValue(field, out var value) == true) (fields[field], keeps) = (value, true);
                else fields.Remove(field);
            }
        }

        try
        {
            var origin = wanted.Deserialize(OriginSettingsJson.Default.OriginOptions)!;
            // Whoever may point an origin elsewhere must not get its credentials sent there.
            if (keeps && PlaceOf(origin) != PlaceOf(before!)) wrong = "Its address or kind changes: give its credentials again, or take them away.";
            return wrong is null ? origin : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            wrong = exception is JsonException { Path: { } path } ? $"{path} is not understood." : "It is not understood.";
            return null;
        }
    }

    /// <summary>Whether two origins are set up the same.</summary>
    public static bool AreSame(OriginOptions one, OriginOptions other) => JsonNode.DeepEquals(ToJson(one), ToJson(other));

    /// <summary>Where an origin's bytes come from, for people: an address without credentials and query, a folder's path, a bucket.</summary>
    public static string? AddressOf(OriginOptions origin) => origin.Kind.ToLowerInvariant() switch
    {
        OriginKinds.Folder => origin.Path,
        OriginKinds.S3 => $"s3://{origin.Bucket}/{origin.Prefix}" + (Plain(origin.ServiceUrl) is { } server ? $" at {server}" : ""),
        _ => Plain(origin.Url),
    };

    private static string? Plain(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : null;

    private static (string, string, string) PlaceOf(OriginOptions origin) => (origin.Kind.ToLowerInvariant(), AuthorityOf(origin.Url), AuthorityOf(origin.ServiceUrl));

    private static string AuthorityOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority) : url;

    private static JsonObject ToJson(OriginOptions origin) => JsonSerializer.SerializeToNode(origin, OriginSettingsJson.Default.OriginOptions)!.AsObject();
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PreferredObjectCreationHandling = JsonObjectCreationHandling.Populate, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Dictionary<string, OriginOptions>))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class OriginSettingsJson : JsonSerializerContext;
