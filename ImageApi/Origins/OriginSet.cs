using System.Diagnostics.CodeAnalysis;
using ImageApi.Store;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>The configured origins, the store first.</summary>
internal sealed class OriginSet : IOrigins
{
    private readonly Dictionary<string, int> _ranks = new(StringComparer.Ordinal);

    public OriginSet(IOptions<OriginsOptions> options, StoreFolder store, ITieredCache cache, OriginMetrics metrics)
    {
        Store = new FolderOrigin(IOrigins.StoreName, store.Path, OriginTraits.Writable, StoreLayout.VersionOf, cache, metrics);
        var folders = options.Value.Origins.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => new FolderOrigin(pair.Key, HomePath.Expand(pair.Value.Path), OriginTraits.Watched, versionOf: null, cache, metrics));
        Folders = [Store, .. folders];
        for (var i = 0; i < Folders.Count; i++) _ranks[Folders[i].Name] = i;
    }

    /// <summary>The writable origin.</summary>
    public FolderOrigin Store { get; }

    /// <summary>As <see cref="All"/>.</summary>
    public IReadOnlyList<FolderOrigin> Folders { get; }

    public IReadOnlyList<IDicomOrigin> All => Folders;

    /// <summary>The place of an origin among all; the last one for a name that is not configured.</summary>
    public int RankOf(string name) => _ranks.GetValueOrDefault(name, int.MaxValue);

    public bool TryGet(string name, [NotNullWhen(true)] out IDicomOrigin? origin)
    {
        origin = _ranks.TryGetValue(name, out var rank) ? Folders[rank] : null;
        return origin is not null;
    }

    public FolderOrigin? Find(string name) => _ranks.TryGetValue(name, out var rank) ? Folders[rank] : null;
}

/// <summary>Paths as people write them.</summary>
internal static class HomePath
{
    /// <summary>An absolute path; <c>~/</c> stands for the home folder.</summary>
    public static string Expand(string path) => Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[1..].TrimStart('/'))
        : path);
}
