using System.Collections.Frozen;
using System.Text.Json;

namespace Web.Assets;

/// <summary>
/// The built client: which files there are and what a page loads. Read on first use; in development again whenever it was rebuilt.
/// </summary>
internal sealed class ClientAssets
{
    private readonly string _root;
    private readonly bool _reloads;
    private readonly ILogger<ClientAssets> _logger;
    private readonly Lock _lock = new();
    private volatile Snapshot? _snapshot;

    public ClientAssets(IWebHostEnvironment environment, ILogger<ClientAssets> logger)
    {
        _root = Path.Combine(environment.ContentRootPath, "wwwroot");
        _reloads = environment.IsDevelopment();
        _logger = logger;
    }

    /// <summary>What a page loads for a source file below <c>client/</c>.</summary>
    public AssetEntry Entry(string source) => Current.Manifest.Find(source);

    /// <summary>A file by its path below <c>wwwroot</c>, with forward slashes.</summary>
    public ClientFile? Find(string path) => Current.Files.GetValueOrDefault(path);

    private string ManifestPath => Path.Combine(_root, "dist", ".vite", "manifest.json");

    private Snapshot Current
    {
        get
        {
            if (_snapshot is { } known && IsCurrent(known)) return known;
            lock (_lock)
            {
                return _snapshot is { } loaded && IsCurrent(loaded) ? loaded : _snapshot = Load();
            }
        }
    }

    private bool IsCurrent(Snapshot snapshot) => !_reloads || snapshot.BuiltAt == File.GetLastWriteTimeUtc(ManifestPath);

    private Snapshot Load()
    {
        var builtAt = File.GetLastWriteTimeUtc(ManifestPath);
        var manifest = ViteManifest.Empty;
        try
        {
            manifest = ViteManifest.Parse(File.ReadAllBytes(ManifestPath));
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            _logger.ClientNotBuilt(exception.GetType().Name);
        }

        return new Snapshot(builtAt, manifest, ClientFile.ReadAll(_root).ToFrozenDictionary(StringComparer.Ordinal));
    }

    private sealed record Snapshot(DateTime BuiltAt, ViteManifest Manifest, FrozenDictionary<string, ClientFile> Files);
}
