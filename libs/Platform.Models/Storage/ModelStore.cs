using System.Collections.Immutable;

namespace Platform.Models;

/// <summary>
/// Models on disk. Bytes are blobs named by their SHA-256, shared between models; a model is a small entry that names its blobs, and a folder of hard links under the manifest's paths, so that a
/// runtime finds external data. Nothing is seen before it is whole and verified. Processes share the folder: changes are made under its lock, and what is leased by anyone is not removed.
/// Thread-safe.
/// </summary>
public sealed partial class ModelStore
{
    private static readonly TimeSpan NoteUseAfter = TimeSpan.FromSeconds(10);

    private readonly ModelStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly StoreFolder _folder;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTime> _verified = new(StringComparer.Ordinal);

    public ModelStore(ModelStoreOptions options, TimeProvider? time = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
        _folder = new StoreFolder(options.Path);
    }

    /// <summary>The folder's full path.</summary>
    public string Path => _folder.Root;

    /// <summary>Where a user's own manifests lie.</summary>
    public string CatalogueFolder => _folder.Catalogue;

    internal StoreFolder Folder => _folder;

    internal ModelStoreOptions Options => _options;

    /// <summary>
    /// Holds a model that is here and whole; null where it is not. Names ignore case. With <see cref="ModelStoreOptions.VerifyAtFirstUse"/> a process hashes the files once; a file that is
    /// damaged makes the model absent, and <see cref="VerifyAsync"/> tells and mends it.
    /// </summary>
    public async ValueTask<StoredModel?> TryGetAsync(string name, CancellationToken cancellationToken)
    {
        if (!ManifestReader.IsName(name)) return null;
        var path = _folder.EntryPath(name);
        // Twice: it may be replaced between the reading of its entry and the lease.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (!File.Exists(path) || ModelEntry.TryRead(path) is not { } entry) return null;
            var digest = entry.TreeDigest;
            var lease = await StoreFolder.HoldAsync(_folder.LeasePath(digest), shared: true, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false);
            try
            {
                if (File.Exists(path) && await IsWholeAsync(entry, digest, cancellationToken).ConfigureAwait(false))
                {
                    NoteUse(path);
                    var model = new StoredModel(entry.Manifest, _folder.TreePath(digest), digest, [.. entry.Files.Select(static file => new StoredFile(file.Path, file.Sha256, file.Bytes))], lease);
                    lease = null;
                    return model;
                }
            }
            finally
            {
                lease?.Dispose();
            }
        }
        return null;
    }

    /// <summary>What is in the store, by name.</summary>
    public ImmutableArray<StoredModelInfo> List() => [.. Entries().OrderBy(static entry => entry.Name, StringComparer.OrdinalIgnoreCase).Select(Describe)];

    private StoredModelInfo Describe(ModelEntry entry)
    {
        var formats = entry.Files.Select(static file => new StoredFormat(FormatOf(file.Path), file.Bytes)).Concat(entry.Forms.Select(static form => new StoredFormat(form.Format, form.Bytes)))
            .GroupBy(static format => format.Format, StringComparer.Ordinal).Select(static same => new StoredFormat(same.Key, same.Sum(static format => format.Bytes)));
        return new StoredModelInfo(entry.Name, entry.Version, entry.TreeDigest, [.. entry.Files.Select(static file => new StoredFile(file.Path, file.Sha256, file.Bytes))], [.. formats],
            entry.From, entry.AddedAt, new DateTimeOffset(File.GetLastWriteTimeUtc(_folder.EntryPath(entry.Name)), TimeSpan.Zero), entry.IsPinned, IsLeased(entry.TreeDigest));
    }

    /// <summary>Keeps a model from eviction, or lets it go when its time comes.</summary>
    /// <exception cref="ModelException">It is not here.</exception>
    public async Task SetPinnedAsync(string name, bool isPinned, CancellationToken cancellationToken) =>
        await ChangeAsync(name, entry => entry with { IsPinned = isPinned }, cancellationToken).ConfigureAwait(false);

    /// <summary>Takes a model out, with the blobs that no other model has. False where it is not here.</summary>
    /// <returns>Whether it was here, and the bytes that are free now.</returns>
    /// <exception cref="ModelException"><see cref="ModelFault.Busy"/>: somebody uses it.</exception>
    public async Task<(bool WasHere, long FreedBytes)> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (!ManifestReader.IsName(name) || !Directory.Exists(_folder.Root)) return (false, 0);
        await using var held = await HoldAsync(cancellationToken).ConfigureAwait(false);
        if (ModelEntry.TryRead(_folder.EntryPath(name)) is not { } entry) return (false, 0);
        return TryRemove(entry) is { } freed ? (true, freed) : throw new ModelException(ModelFault.Busy, $"{entry.Name} is in use.");
    }

    /// <summary>Bytes that the store takes on disk.</summary>
    public long GetBytes() => StoreFolder.BytesBelow(_folder.Blobs) + StoreFolder.BytesBelow(_folder.Parts) + StoreFolder.BytesBelow(_folder.Optimised) + StoreFolder.BytesBelow(_folder.Damaged);

    /// <summary>Held by whoever brings bytes in: nobody tidies up meanwhile.</summary>
    internal async Task<FileStream> BeginInstallAsync(CancellationToken cancellationToken)
    {
        _folder.Create();
        return await StoreFolder.HoldAsync(_folder.InstallingPath, shared: true, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The length of a blob that is here and is what its name says; null where it is not. A damaged one is put aside.</summary>
    internal async Task<long?> TryGetBlobAsync(string digest, CancellationToken cancellationToken)
    {
        var blob = new FileInfo(_folder.BlobPath(digest));
        if (!blob.Exists) return null;
        if (await BlobDigest.OfFileAsync(blob.FullName, cancellationToken).ConfigureAwait(false) == digest) return blob.Length;
        Quarantine(blob.FullName);
        return null;
    }

    /// <summary>Takes a flushed file whose digest the caller has just computed.</summary>
    internal void CommitBlob(string temporary, string digest)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(temporary, UnixFileMode.UserRead);
        StoreFolder.Rename(temporary, _folder.BlobPath(digest));
    }

    /// <summary>Makes a model visible: its tree, then its entry. All blobs are here.</summary>
    internal async Task CommitModelAsync(ModelEntry entry, CancellationToken cancellationToken)
    {
        // The work is done: it waits for as long as the caller does.
        await using var held = await StoreFolder.HoldAsync(_folder.LockPath, shared: false, timeout: null, _time, cancellationToken).ConfigureAwait(false);
        if (entry.Blobs.FirstOrDefault(blob => !File.Exists(_folder.BlobPath(blob))) is not null) throw new ModelException(ModelFault.Busy, $"A file of {entry.Name} was removed meanwhile. Try again.");
        var before = ModelEntry.TryRead(_folder.EntryPath(entry.Name));
        if (before is not null) entry = entry with { IsPinned = before.IsPinned || entry.IsPinned };
        await MakeSoundTreeAsync(entry, cancellationToken).ConfigureAwait(false);
        _folder.WriteWhole(_folder.EntryPath(entry.Name), entry.ToJson());
        if (before is not null && before.TreeDigest != entry.TreeDigest) _ = TryRemoveTree(before.TreeDigest);
        if (before is not null) RemoveUnreferenced(before.Blobs);
    }

    /// <summary>Adds the weights in another format to a model.</summary>
    internal async Task AddFormAsync(string name, EntryForm form, CancellationToken cancellationToken) =>
        await ChangeAsync(name, entry => entry with { Forms = [.. entry.Forms.Where(other => other.Format != form.Format || other.Of != form.Of), form] }, cancellationToken).ConfigureAwait(false);

    internal async Task SetProvenAsync(string name, CancellationToken cancellationToken) => await ChangeAsync(name, static entry => entry with { IsProven = true }, cancellationToken).ConfigureAwait(false);

    /// <summary>What is wrong as far as names and lengths tell.</summary>
    internal IReadOnlyList<StoreFinding> Inspect()
    {
        var findings = new List<StoreFinding>();
        foreach (var entry in Entries())
        {
            var tree = _folder.TreePath(entry.TreeDigest);
            foreach (var file in entry.Files)
            {
                var found = new FileInfo(System.IO.Path.Combine(tree, file.Path));
                if (!found.Exists || found.Length != file.Bytes) findings.Add(new StoreFinding(found.Exists ? StoreProblem.Damaged : StoreProblem.Missing, entry.Name, file.Path, file.Bytes, StoreRepair.None));
            }
        }
        return findings;
    }

    internal IEnumerable<string> Names() => Entries().Select(static entry => entry.Name);

    /// <summary>Whether a model is here, as far as names and lengths tell.</summary>
    internal bool IsThere(string name) => TryReadEntry(name) is { } entry
        && entry.Files.All(file => new FileInfo(System.IO.Path.Combine(_folder.TreePath(entry.TreeDigest), file.Path)) is { Exists: true } found && found.Length == file.Bytes);

    internal StoreInfo Describe()
    {
        var models = List();
        var blobs = Directory.Exists(_folder.Blobs) ? new DirectoryInfo(_folder.Blobs).EnumerateFiles("*", SearchOption.AllDirectories).Count() : 0;
        var formats = models.SelectMany(static model => model.Formats).GroupBy(static format => format.Format, StringComparer.Ordinal)
            .Select(static same => new StoredFormat(same.Key, same.Sum(static format => format.Bytes))).OrderByDescending(static format => format.Bytes);
        return new StoreInfo(_folder.Root, models.Length, blobs, GetBytes(), _options.CapacityBytes, _folder.GetFreeBytes(),
            StoreFolder.BytesBelow(_folder.Parts), StoreFolder.BytesBelow(_folder.Optimised), StoreFolder.BytesBelow(_folder.Damaged), [.. formats],
            [.. Inspect().Select(static finding => finding.Problem == StoreProblem.Missing ? $"{finding.Model}: {finding.Item} is missing." : $"{finding.Model}: {finding.Item} has another length than it should.")]);
    }

    internal ModelEntry? TryReadEntry(string name) => ManifestReader.IsName(name) ? ModelEntry.TryRead(_folder.EntryPath(name)) : null;

    /// <summary>Makes room for bytes to come: asks the disk, then keeps the store's bound by letting go of what was used longest ago.</summary>
    /// <exception cref="ModelException"><see cref="ModelFault.NoRoom"/>.</exception>
    internal async Task ReserveAsync(long bytes, string? exceptModel, CancellationToken cancellationToken)
    {
        _folder.Create();
        if (_options.CapacityBytes > 0 && bytes > _options.CapacityBytes) throw NoRoom($"The store may hold {_options.CapacityBytes} bytes and {bytes} more are needed.");
        if (_options.CapacityBytes > 0)
        {
            await using var held = await HoldAsync(cancellationToken).ConfigureAwait(false);
            var excess = GetBytes() + bytes - _options.CapacityBytes;
            if (excess > 0)
            {
                var candidates = Entries().Where(entry => !entry.IsPinned && !string.Equals(entry.Name, exceptModel, StringComparison.OrdinalIgnoreCase))
                    .OrderBy(entry => File.GetLastWriteTimeUtc(_folder.EntryPath(entry.Name))).ToList();
                foreach (var entry in candidates)
                {
                    if (excess <= 0) break;
                    excess -= TryRemove(entry) ?? 0;
                }
                if (excess > 0) throw NoRoom($"The store may hold {_options.CapacityBytes} bytes: {excess} too few for what is asked, and all else in it is pinned or in use.");
            }
        }

        var free = _folder.GetFreeBytes();
        if (free - bytes < _options.MinFreeBytes) throw NoRoom($"The disk of {_folder.Root} has {free} bytes free; {bytes} are needed and {_options.MinFreeBytes} are left to others.");

        static ModelException NoRoom(string message) => new(ModelFault.NoRoom, message);
    }

    /// <summary>The digest that was pinned at the first use of a file without one; null before.</summary>
    internal string? PinOf(ModelManifest manifest, ModelFile file)
    {
        try
        {
            return File.ReadAllText(PinPath(manifest, file)).Trim() is var digest && BlobDigest.IsDigest(digest) ? digest : null;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal void Pin(ModelManifest manifest, ModelFile file, string digest) => _folder.WriteWhole(PinPath(manifest, file), System.Text.Encoding.ASCII.GetBytes(digest));

    /// <summary>Forgets the digests pinned at first use of a model: the next download may bring other bytes.</summary>
    public void ForgetPins(ModelManifest manifest)
    {
        foreach (var file in manifest.Files) StoreFolder.TryDelete(PinPath(manifest, file));
    }

    private string PinPath(ModelManifest manifest, ModelFile file) =>
        System.IO.Path.Combine(_folder.Pins, BlobDigest.OfText($"{manifest.Name.ToLowerInvariant()}\0{manifest.Version}\0{file.Path}"));

    private async Task<FileStream> HoldAsync(CancellationToken cancellationToken)
    {
        _folder.Create();
        return await StoreFolder.HoldAsync(_folder.LockPath, shared: false, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false);
    }

    private async Task ChangeAsync(string name, Func<ModelEntry, ModelEntry> change, CancellationToken cancellationToken)
    {
        await using var held = await HoldAsync(cancellationToken).ConfigureAwait(false);
        var entry = TryReadEntry(name) ?? throw new ModelException(ModelFault.NotFound, $"{name} is not in the store.");
        var path = _folder.EntryPath(name);
        var used = File.GetLastWriteTimeUtc(path);
        _folder.WriteWhole(path, change(entry).ToJson());
        File.SetLastWriteTimeUtc(path, used);
    }

    private IEnumerable<ModelEntry> Entries() =>
        Directory.Exists(_folder.Models) ? Directory.EnumerateFiles(_folder.Models, "*.json").Select(ModelEntry.TryRead).OfType<ModelEntry>() : [];

    /// <summary>A tree that is there already may hold links to a blob that was damaged and came anew.</summary>
    private async Task MakeSoundTreeAsync(ModelEntry entry, CancellationToken cancellationToken)
    {
        var digest = entry.TreeDigest;
        if (Directory.Exists(_folder.TreePath(digest)))
        {
            var isSound = true;
            foreach (var file in entry.Files)
            {
                var path = System.IO.Path.Combine(_folder.TreePath(digest), file.Path);
                isSound = isSound && File.Exists(path) && await BlobDigest.OfFileAsync(path, cancellationToken).ConfigureAwait(false) == file.Sha256;
            }
            if (isSound) return;
            using var lease = StoreFolder.TryHold(_folder.LeasePath(digest), shared: false) ?? throw new ModelException(ModelFault.Busy, $"{entry.Name} is in use and damaged: it cannot be replaced now.");
            DeleteTree(digest);
        }
        MakeTree(entry);
    }

    private void MakeTree(ModelEntry entry)
    {
        var tree = _folder.TreePath(entry.TreeDigest);
        if (Directory.Exists(tree)) return;
        var temporary = _folder.NewTemporaryPath();
        StoreFolder.CreateFolder(temporary);
        try
        {
            foreach (var file in entry.Files)
            {
                var path = System.IO.Path.Combine(temporary, file.Path);
                StoreFolder.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
                PosixFiles.LinkOrCopy(_folder.BlobPath(file.Sha256), path);
            }
            Directory.Move(temporary, tree);
            PosixFiles.FlushFolder(_folder.Trees);
        }
        finally
        {
            StoreFolder.TryDeleteFolder(temporary);
        }
    }

    /// <summary>Bytes freed; null where it is in use.</summary>
    private long? TryRemove(ModelEntry entry)
    {
        // What another model has too may be in use there: only the entry goes.
        var isShared = Entries().Any(other => !string.Equals(other.Name, entry.Name, StringComparison.OrdinalIgnoreCase) && other.TreeDigest == entry.TreeDigest);
        FileStream? lease = null;
        if (!isShared && (lease = StoreFolder.TryHold(_folder.LeasePath(entry.TreeDigest), shared: false)) is null) return null;
        using (lease)
        {
            File.Delete(_folder.EntryPath(entry.Name));
            PosixFiles.FlushFolder(_folder.Models);
            if (!isShared) DeleteTree(entry.TreeDigest);
            return RemoveUnreferenced(entry.Blobs);
        }
    }

    private bool TryRemoveTree(string digest)
    {
        if (Entries().Any(other => other.TreeDigest == digest)) return false;
        using var lease = StoreFolder.TryHold(_folder.LeasePath(digest), shared: false);
        if (lease is null) return false;
        DeleteTree(digest);
        return true;
    }

    private void DeleteTree(string digest)
    {
        lock (_lock) _verified.Remove(digest);
        StoreFolder.TryDeleteFolder(_folder.TreePath(digest));
        StoreFolder.TryDeleteFolder(System.IO.Path.Combine(_folder.Optimised, digest));
    }

    private long RemoveUnreferenced(IEnumerable<string> blobs)
    {
        var referenced = Entries().SelectMany(static entry => entry.Blobs).ToHashSet(StringComparer.Ordinal);
        long freed = 0;
        foreach (var blob in blobs.Distinct(StringComparer.Ordinal).Where(blob => !referenced.Contains(blob)))
        {
            var file = new FileInfo(_folder.BlobPath(blob));
            if (!file.Exists) continue;
            freed += file.Length;
            StoreFolder.TryDelete(file.FullName);
        }
        return freed;
    }

    private bool IsLeased(string treeDigest)
    {
        var path = _folder.LeasePath(treeDigest);
        if (!File.Exists(path)) return false;
        using var lease = StoreFolder.TryHold(path, shared: false);
        return lease is null;
    }

    /// <summary>Whether the files that a runtime would open are there; by length each time, by digest once a process.</summary>
    private async ValueTask<bool> IsWholeAsync(ModelEntry entry, string digest, CancellationToken cancellationToken)
    {
        var tree = _folder.TreePath(digest);
        var newest = DateTime.MinValue;
        foreach (var file in entry.Files)
        {
            var found = new FileInfo(System.IO.Path.Combine(tree, file.Path));
            if (!found.Exists || found.Length != file.Bytes) return false;
            if (found.LastWriteTimeUtc > newest) newest = found.LastWriteTimeUtc;
        }
        if (!_options.VerifyAtFirstUse) return true;
        lock (_lock)
        {
            if (_verified.TryGetValue(digest, out var written) && written == newest) return true;
        }
        foreach (var file in entry.Files)
            if (await BlobDigest.OfFileAsync(System.IO.Path.Combine(tree, file.Path), cancellationToken).ConfigureAwait(false) != file.Sha256) return false;
        lock (_lock) _verified[digest] = newest;
        return true;
    }

    private void NoteUse(string entryPath)
    {
        try
        {
            var now = _time.GetUtcNow().UtcDateTime;
            if ((now - File.GetLastWriteTimeUtc(entryPath)).Duration() > NoteUseAfter) File.SetLastWriteTimeUtc(entryPath, now);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A little older than it should be.
        }
    }

    private static string FormatOf(string path) => System.IO.Path.GetExtension(path) is { Length: > 1 } ending ? ending[1..].ToLowerInvariant() : "file";
}
