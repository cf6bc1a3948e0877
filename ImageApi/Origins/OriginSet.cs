using System.Diagnostics.CodeAnalysis;
using ImageApi.Store;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>The configured origins, the store first.</summary>
internal sealed class OriginSet : IOrigins
{
    private readonly Dictionary<string, int> _ranks = new(StringComparer.Ordinal);

    public OriginSet(IOptions<OriginsOptions> options, IEnumerable<IOriginKind> kinds, StoreFolder store, ITieredCache cache, OriginMetrics metrics)
    {
        var byName = kinds.ToDictionary(kind => kind.Kind, StringComparer.OrdinalIgnoreCase);
        Store = new FolderOrigin(IOrigins.StoreName, store.Path, OriginTraits.Writable, StoreLayout.VersionOf, cache, metrics);
        var configured = options.Value.Origins.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => byName[pair.Value.Kind].Create(pair.Key, pair.Value)).ToArray();
        Folders = [Store, .. configured.OfType<FolderOrigin>()];
        All = [.. Folders, .. configured.Where(origin => origin is not FolderOrigin)];
        Dicom = [.. All.OfType<IDicomOrigin>()];
        Files = [.. All.OfType<IFileOrigin>()];
        Indexed = [.. All.OfType<IIndexedOrigin>()];
        for (var i = 0; i < All.Count; i++) _ranks[All[i].Name] = i;
    }

    /// <summary>The writable origin.</summary>
    public FolderOrigin Store { get; }

    /// <summary>The folders, the store first.</summary>
    public IReadOnlyList<FolderOrigin> Folders { get; }

    /// <summary>Those that the catalog indexes, in the order of <see cref="All"/>.</summary>
    public IReadOnlyList<IIndexedOrigin> Indexed { get; }

    public IReadOnlyList<IOrigin> All { get; }
    public IReadOnlyList<IDicomOrigin> Dicom { get; }
    public IReadOnlyList<IFileOrigin> Files { get; }

    /// <summary>The place of an origin among all; the last one for a name that is not configured.</summary>
    public int RankOf(string name) => _ranks.GetValueOrDefault(name, int.MaxValue);

    public bool TryGet<TOrigin>(string name, [NotNullWhen(true)] out TOrigin? origin) where TOrigin : class, IOrigin
    {
        origin = _ranks.TryGetValue(name, out var rank) ? All[rank] as TOrigin : null;
        return origin is not null;
    }
}

/// <summary>Folders of DICOM files.</summary>
internal sealed class FolderOriginKind(ITieredCache cache, OriginMetrics metrics) : IOriginKind
{
    public string Kind => OriginKinds.Folder;

    public IOrigin Create(string name, OriginOptions options) => new FolderOrigin(name, HomePath.Expand(options.Path), OriginTraits.Watched, versionOf: null, cache, metrics);
}

/// <summary>Paths as people write them.</summary>
internal static class HomePath
{
    /// <summary>An absolute path; <c>~/</c> stands for the home folder.</summary>
    public static string Expand(string path) => Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[1..].TrimStart('/'))
        : path);
}
