using System.Diagnostics.CodeAnalysis;
using ImageApi.Store;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// The origins that there are now, the store first. The set changes as a whole: whoever asks twice during one request may see two sets, and finds an
/// origin that has gone meanwhile as one that is not configured.
/// </summary>
internal sealed class OriginSet : IOrigins
{
    private readonly Dictionary<string, IOriginKind> _kinds;
    private readonly Lock _changing = new();
    private volatile Members _now;

    public OriginSet(IOptions<OriginsOptions> options, IEnumerable<IOriginKind> kinds, StoreFolder store, ITieredCache cache, OriginMetrics metrics)
    {
        _kinds = kinds.ToDictionary(kind => kind.Kind, StringComparer.OrdinalIgnoreCase);
        Store = new FolderOrigin(IOrigins.StoreName, store.Path, OriginTraits.Writable, StoreLayout.VersionOf, cache, metrics);
        _now = Make(options.Value.Origins, before: null);
    }

    /// <summary>The writable origin.</summary>
    public FolderOrigin Store { get; }

    /// <summary>The folders, the store first.</summary>
    public IReadOnlyList<FolderOrigin> Folders => _now.Folders;

    /// <summary>Those that the catalog indexes, in the order of <see cref="All"/>.</summary>
    public IReadOnlyList<IIndexedOrigin> Indexed => _now.Indexed;

    public IReadOnlyList<IOrigin> All => _now.All;
    public IReadOnlyList<IDicomOrigin> Dicom => _now.Dicom;
    public IReadOnlyList<IFileOrigin> Files => _now.Files;

    /// <summary>Told after the set has changed, on the thread that changed it.</summary>
    public event Action? Changed;

    /// <summary>The place of an origin among all; the last one for a name that is not configured.</summary>
    public int RankOf(string name) => _now.Ranks.GetValueOrDefault(name, int.MaxValue);

    public bool TryGet<TOrigin>(string name, [NotNullWhen(true)] out TOrigin? origin) where TOrigin : class, IOrigin
    {
        var now = _now;
        origin = now.Ranks.TryGetValue(name, out var rank) ? now.All[rank] as TOrigin : null;
        return origin is not null;
    }

    /// <summary>The options of a configured origin; null for the store and for names that are not configured.</summary>
    public OriginOptions? OptionsOf(string name) => _now.Options.GetValueOrDefault(name);

    /// <summary>Makes these the origins, beside the store. One whose options are as before stays the object that it is, with its connections and its health.</summary>
    public void Change(IReadOnlyDictionary<string, OriginOptions> origins)
    {
        lock (_changing) _now = Make(origins, _now);
        Changed?.Invoke();
    }

    private Members Make(IReadOnlyDictionary<string, OriginOptions> origins, Members? before)
    {
        var configured = origins.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Reuse(pair.Key, pair.Value, before) ?? _kinds[pair.Value.Kind].Create(pair.Key, pair.Value)).ToArray();
        IReadOnlyList<FolderOrigin> folders = [Store, .. configured.OfType<FolderOrigin>()];
        IReadOnlyList<IOrigin> all = [.. folders, .. configured.Where(origin => origin is not FolderOrigin)];
        return new Members(new Dictionary<string, OriginOptions>(origins, StringComparer.Ordinal), all, folders, [.. all.OfType<IDicomOrigin>()], [.. all.OfType<IFileOrigin>()], [.. all.OfType<IIndexedOrigin>()],
            all.Select((origin, rank) => (origin.Name, rank)).ToDictionary(place => place.Name, place => place.rank, StringComparer.Ordinal));
    }

    private static IOrigin? Reuse(string name, OriginOptions options, Members? before) =>
        before is not null && before.Options.TryGetValue(name, out var old) && OriginDocument.AreSame(old, options) ? before.All[before.Ranks[name]] : null;

    private sealed record Members(IReadOnlyDictionary<string, OriginOptions> Options, IReadOnlyList<IOrigin> All, IReadOnlyList<FolderOrigin> Folders,
        IReadOnlyList<IDicomOrigin> Dicom, IReadOnlyList<IFileOrigin> Files, IReadOnlyList<IIndexedOrigin> Indexed, Dictionary<string, int> Ranks);
}

/// <summary>Folders of DICOM files, and of volumes.</summary>
internal sealed class FolderOriginKind(ITieredCache cache, OriginMetrics metrics) : IOriginKind
{
    public string Kind => OriginKinds.Folder;

    public IOrigin Create(string name, OriginOptions options) => new FolderFiles(name, HomePath.Expand(options.Path), cache, metrics);
}

/// <summary>Paths as people write them.</summary>
internal static class HomePath
{
    /// <summary>An absolute path; <c>~/</c> stands for the home folder.</summary>
    public static string Expand(string path) => Path.GetFullPath(path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[1..].TrimStart('/'))
        : path);
}
