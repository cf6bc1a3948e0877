using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>
/// Everything that can be done with models, for the service, the command line and the page alike. Thread-safe; several processes may use one store.
/// </summary>
public sealed partial class ModelManager
{
    private const int BufferBytes = 256 << 10, MaxKnown = 4096;

    private readonly ModelStore _store;
    private readonly ModelFetcher _fetcher;
    private readonly Func<ModelCatalogue> _readCatalogue;
    private readonly IModelOptimiser? _optimiser;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Flight> _flights = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (DateTime Written, (bool IsImport, ModelManifest Manifest)? Entry)> _known = new(StringComparer.OrdinalIgnoreCase);
    private ModelCatalogue? _catalogue;
    private (DateTime Shipped, DateTime Own) _catalogueWritten;

    /// <param name="store">Where models are kept.</param>
    /// <param name="fetcher">What brings their files.</param>
    /// <param name="shippedFolder">The folder of manifests that ship, beside the program; the store's own folder of manifests comes on top of it.</param>
    /// <param name="optimiser">The runtime; null where there is none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public ModelManager(ModelStore store, ModelFetcher fetcher, string shippedFolder, IModelOptimiser? optimiser = null, TimeProvider? time = null)
    {
        (_store, _fetcher, _optimiser, _time) = (store, fetcher, optimiser, time ?? TimeProvider.System);
        ShippedFolder = Path.GetFullPath(shippedFolder);
        _readCatalogue = () => ModelCatalogue.Load(ShippedFolder, store.CatalogueFolder);
    }

    public ModelStore Store => _store;

    public string ShippedFolder { get; }

    /// <summary>The manifests; read again when a file came into or went from a folder of them, and after <see cref="ReloadCatalogue"/>.</summary>
    public ModelCatalogue Catalogue
    {
        get
        {
            var written = (Directory.GetLastWriteTimeUtc(ShippedFolder), Directory.GetLastWriteTimeUtc(_store.CatalogueFolder));
            lock (_lock)
            {
                if (_catalogue is null || written != _catalogueWritten) (_catalogue, _catalogueWritten) = (_readCatalogue(), written);
                return _catalogue;
            }
        }
    }

    /// <summary>Reads the manifests again when next asked.</summary>
    public void ReloadCatalogue()
    {
        lock (_lock) _catalogue = null;
    }

    /// <summary>Every model that is known, by name.</summary>
    public ImmutableArray<ModelInfo> List()
    {
        var stored = _store.List().ToDictionary(static model => model.Name, StringComparer.OrdinalIgnoreCase);
        var broken = _store.Inspect().ToLookup(static finding => finding.Model, StringComparer.OrdinalIgnoreCase);
        var names = Catalogue.Models.Select(static manifest => manifest.Name).Concat(stored.Keys).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase);
        return [.. names.Select(Describe).OfType<ModelInfo>()];

        ModelInfo? Describe(string name)
        {
            var listed = Catalogue.Find(name);
            var kept = stored.GetValueOrDefault(name);
            var entry = kept is null ? null : _store.TryReadEntry(name);
            if ((listed ?? entry?.Manifest) is not { } manifest) return null;
            bool isOnItsWay;
            lock (_lock) isOnItsWay = _flights.ContainsKey(name);
            var state = isOnItsWay ? ModelState.Downloading
                : kept is null || entry is null ? ModelState.Absent
                : broken.Contains(name) ? ModelState.Broken
                : listed is not null && !IsCurrent(entry, listed) ? ModelState.Outdated : ModelState.Stored;
            // What was imported is described by what it came with.
            return new ModelInfo(entry is { From: From.Import } ? entry.Manifest : manifest, kept, state, listed is not null);
        }
    }

    /// <summary>
    /// The manifest that holds for a name: of what was imported under it, else the catalogue's, else that of what is stored; null where nobody knows it. For the way of every request: it asks the file
    /// system for one date.
    /// </summary>
    public ModelManifest? TryFindManifest(string name) => ManifestReader.IsName(name) && KnownEntry(name) is { } known && (known.IsImport || Catalogue.Find(name) is null) ? known.Manifest : Catalogue.Find(name);

    /// <summary>Every manifest that <see cref="TryFindManifest"/> gives, by name.</summary>
    public ImmutableArray<ModelManifest> Manifests =>
        [.. Catalogue.Models.Select(static manifest => manifest.Name).Concat(_store.Names()).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase).Select(TryFindManifest).OfType<ModelManifest>()];

    /// <summary>Whether <see cref="GetAsync"/> needs nothing from the network, as far as names and lengths tell.</summary>
    public bool IsHere(string name) => ManifestReader.IsName(name)
        && (_store.IsThere(name) || Catalogue.Find(name) is { Folder: { } folder } manifest && manifest.Files.All(file => file.Source is { } source && File.Exists(Path.Combine(folder, source))));

    private (bool IsImport, ModelManifest Manifest)? KnownEntry(string name)
    {
        var path = _store.Folder.EntryPath(name);
        var written = File.GetLastWriteTimeUtc(path);   // a date before the first where there is none
        lock (_lock)
        {
            if (_known.TryGetValue(name, out var known) && known.Written == written) return known.Entry;
        }
        var entry = File.Exists(path) && ModelEntry.TryRead(path) is { } read ? (read.From == From.Import, read.Manifest) : ((bool, ModelManifest)?)null;
        lock (_lock)
        {
            if (_known.Count > MaxKnown) _known.Clear();
            _known[name] = (written, entry);
        }
        return entry;
    }

    /// <summary>One of <see cref="List"/>.</summary>
    /// <exception cref="ModelException"><see cref="ModelFault.NotFound"/>; the message names what is known.</exception>
    public ModelInfo Find(string name)
    {
        var all = List();
        return all.FirstOrDefault(model => string.Equals(model.Manifest.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new ModelException(ModelFault.NotFound, $"There is no model called {ZipDirectory.Shown(name)}. Known: {string.Join(", ", all.Select(static model => model.Manifest.Name))}.");
    }

    /// <summary>The store as a whole.</summary>
    public StoreInfo GetInfo() => _store.Describe();

    /// <summary>
    /// Holds a model, bringing it into the store first where it is not there whole in the catalogue's version. One download runs however many ask. An older version serves when the newer cannot be had.
    /// </summary>
    /// <exception cref="ModelException">There is no such model, or it could not be brought here.</exception>
    public async Task<StoredModel> GetAsync(string name, IProgress<ModelProgress>? progress, CancellationToken cancellationToken)
    {
        var manifest = Catalogue.Find(name);
        var stored = await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            if (stored is not null && (manifest is null || _store.TryReadEntry(name) is { } entry && IsCurrent(entry, manifest))) return Take(ref stored);
            if (manifest is null) _ = Find(name);
            try
            {
                await DownloadAsync(name, progress, cancellationToken).ConfigureAwait(false);
            }
            catch (ModelException failure) when (stored is not null && failure.Fault is ModelFault.Unreachable or ModelFault.NoRoom or ModelFault.Busy)
            {
                return Take(ref stored);
            }
            return await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new ModelException(ModelFault.Busy, $"{name} was removed as soon as it had come.");
        }
        finally
        {
            stored?.Dispose();
        }

        static StoredModel Take(ref StoredModel? from)
        {
            var taken = from!;
            from = null;
            return taken;
        }
    }

    /// <summary>
    /// What a runtime should open for a held model: its optimised form where one is kept for this runtime and device, else <see cref="StoredModel.Path"/>. A model that came from outside is proven first, once.
    /// </summary>
    public async Task<(string Path, bool IsOptimised)> GetPathAsync(StoredModel model, CancellationToken cancellationToken)
    {
        var path = model.Path ?? throw ModelException.Invalid($"{model.Name} does not run as it is: {model.Manifest.RunsAfter}");
        if (_optimiser is null) return (path, false);
        if (_store.TryReadEntry(model.Name) is { IsProven: false })
        {
            await _optimiser.ProveAsync(model.Manifest, path, cancellationToken).ConfigureAwait(false);
            await _store.SetProvenAsync(model.Name, cancellationToken).ConfigureAwait(false);
        }
        return await _store.TryGetOptimisedAsync(model, _optimiser.Key, cancellationToken).ConfigureAwait(false) is { } optimised ? (optimised, true) : (path, false);
    }

    /// <summary>Has a model optimised for this runtime and device. False where that is not worth it, or there is no runtime.</summary>
    public async Task<bool> OptimiseAsync(string name, CancellationToken cancellationToken)
    {
        if (_optimiser is null) throw new ModelException(ModelFault.Invalid, "Only the inference service has a runtime that optimises models.");
        using var model = await _store.TryGetAsync(name, cancellationToken).ConfigureAwait(false) ?? throw NotHere(name);
        _ = await GetPathAsync(model, cancellationToken).ConfigureAwait(false);
        return await _store.OptimiseAsync(model, _optimiser, cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Verifies the store or one model; with <paramref name="repair"/> mends what it can from what is here, and fetches the rest anew.</summary>
    public async Task<ImmutableArray<StoreFinding>> VerifyAsync(string? name, bool repair, IProgress<ModelProgress>? progress, CancellationToken cancellationToken)
    {
        if (name is not null && _store.TryReadEntry(name) is null && !File.Exists(_store.Folder.EntryPath(Checked(name)))) throw NotHere(name);
        var findings = await _store.VerifyAsync(name, repair, null, cancellationToken).ConfigureAwait(false);
        if (!repair) return findings;
        var fetched = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var model in findings.Where(static finding => finding.Repair == StoreRepair.ModelRemoved).Select(static finding => finding.Model!).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            try
            {
                if (Catalogue.Find(model) is null) continue;
                await DownloadAsync(model, progress, cancellationToken).ConfigureAwait(false);
                fetched.Add(model);
            }
            catch (ModelException)
            {
                // It stays out, as the finding says.
            }
        }
        return [.. findings.Select(finding => finding.Model is { } of && fetched.Contains(of) && finding.Repair == StoreRepair.ModelRemoved ? finding with { Repair = StoreRepair.Fetched } : finding)];
    }

    /// <summary>Takes one model out of the store, or all that are neither pinned nor in use.</summary>
    /// <returns>The names that went and the bytes that are free now.</returns>
    /// <exception cref="ModelException">The one that was named is not here or in use.</exception>
    public async Task<(ImmutableArray<string> Removed, long FreedBytes)> ClearAsync(string? name, CancellationToken cancellationToken)
    {
        if (name is not null)
        {
            var (wasHere, freed) = await _store.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
            return wasHere ? ([name], freed) : throw NotHere(name);
        }
        var removed = ImmutableArray.CreateBuilder<string>();
        long total = 0;
        foreach (var model in _store.List().Where(static model => !model.IsPinned))
        {
            try
            {
                var (wasHere, freed) = await _store.RemoveAsync(model.Name, cancellationToken).ConfigureAwait(false);
                if (wasHere) removed.Add(model.Name);
                total += freed;
            }
            catch (ModelException failure) when (failure.Fault == ModelFault.Busy)
            {
                // In use.
            }
        }
        total += await _store.CollectAsync(cancellationToken).ConfigureAwait(false);
        return (removed.ToImmutable(), total);
    }

    /// <summary>Whether what is stored is what a manifest of the catalogue asks for. What was imported under a name stands, whatever the catalogue says.</summary>
    private static bool IsCurrent(ModelEntry entry, ModelManifest manifest) => entry.From == From.Import
        || entry.Version == manifest.Version && manifest.Files.All(file => entry.Files.FirstOrDefault(other => other.Path == file.Path) is { } kept && (file.Sha256 is null || file.Sha256 == kept.Sha256));

    private static string Checked(string name) => ManifestReader.IsName(name) ? name : throw new ModelException(ModelFault.NotFound, $"{ZipDirectory.Shown(name)} is no model's name.");

    private static ModelException NotHere(string name) => new(ModelFault.NotFound, $"{ZipDirectory.Shown(name)} is not in the store.");

    private static class From
    {
        public const string Shipped = "shipped", Download = "download", Import = "import";
    }
}
