using System.Text.Json;
using System.Text.Json.Serialization;

namespace Web.Assets;

/// <summary>What a page loads for one entry point of the client, as addresses on this server.</summary>
/// <param name="Script">The entry's module, or null for an entry that is a stylesheet.</param>
/// <param name="Imports">Modules that it imports statically, for <c>modulepreload</c>.</param>
/// <param name="Styles">Stylesheets of the entry and its imports.</param>
/// <param name="Lazy">Modules, stylesheets and workers that it loads later, when they are needed.</param>
internal sealed record AssetEntry(string? Script, IReadOnlyList<string> Imports, IReadOnlyList<string> Styles, IReadOnlyList<string> Lazy)
{
    public static readonly AssetEntry Empty = new(null, [], [], []);

    /// <summary>All of it, what is needed first in front.</summary>
    public IEnumerable<string> All => [.. Styles, .. Script is null ? [] : (string[])[Script], .. Imports, .. Lazy];
}

/// <summary>Vite's build manifest: source file to hashed file names (vite.dev/guide/backend-integration).</summary>
internal sealed partial class ViteManifest
{
    public const string BasePath = "/dist/";
    private readonly Dictionary<string, Chunk> _chunks;

    private ViteManifest(Dictionary<string, Chunk> chunks) => _chunks = chunks;

    public static ViteManifest Empty { get; } = new([]);

    /// <exception cref="JsonException">The manifest is not Vite's.</exception>
    public static ViteManifest Parse(ReadOnlySpan<byte> json) =>
        new(JsonSerializer.Deserialize(json, ManifestJson.Default.DictionaryStringChunk) ?? []);

    /// <summary>The entry for a source file such as <c>src/viewer/main.ts</c>; empty where the client was not built with it.</summary>
    public AssetEntry Find(string source)
    {
        if (!_chunks.TryGetValue(source, out var entry)) return AssetEntry.Empty;
        var isStyle = entry.File.EndsWith(".css", StringComparison.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal) { entry.File };
        var (imports, styles, later) = (new List<string>(), new List<string>(), new List<string>());
        Visit(entry, imports, styles, seen);
        if (isStyle) styles.Add(BasePath + entry.File);
        VisitLazy(entry, later, seen);
        later.AddRange((entry.Assets ?? []).Where(static asset => asset.EndsWith(".js", StringComparison.Ordinal)).Select(static worker => BasePath + worker));
        return new(isStyle ? null : BasePath + entry.File, imports, styles, later);
    }

    private void Visit(Chunk chunk, List<string> imports, List<string> styles, HashSet<string> seen)
    {
        foreach (var name in chunk.Imports ?? [])
        {
            if (!_chunks.TryGetValue(name, out var imported) || !seen.Add(imported.File)) continue;
            Visit(imported, imports, styles, seen);
            imports.Add(BasePath + imported.File);
        }

        styles.AddRange((chunk.Css ?? []).Where(seen.Add).Select(static css => BasePath + css));
    }

    private void VisitLazy(Chunk chunk, List<string> later, HashSet<string> seen)
    {
        foreach (var name in chunk.DynamicImports ?? [])
        {
            if (!_chunks.TryGetValue(name, out var imported) || !seen.Add(imported.File)) continue;
            later.Add(BasePath + imported.File);
            Visit(imported, later, later, seen);
            VisitLazy(imported, later, seen);
        }
    }

    internal sealed record Chunk(string File, string[]? Imports, string[]? DynamicImports, string[]? Css, string[]? Assets);

    [JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
    [JsonSerializable(typeof(Dictionary<string, Chunk>))]
    private sealed partial class ManifestJson : JsonSerializerContext;
}
