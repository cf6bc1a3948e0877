using System.Collections.Immutable;
using System.Globalization;

namespace Platform.Models;

public sealed partial class ModelStore
{
    private const int MaxDamagedKept = 8;
    private const long MaxDamagedBytes = 64_000_000;

    /// <summary>
    /// Reads every byte of the store, or of one model, and says what is wrong. With <paramref name="repair"/> what is damaged is put aside, what can be made again from another format is, a model that
    /// stays broken is taken out so that it is fetched anew, and what belongs to nothing is removed.
    /// </summary>
    /// <param name="name">One model; null for the whole store, where alone orphans are looked for.</param>
    /// <param name="repair">Whether to mend.</param>
    /// <param name="progress">Told the bytes read.</param>
    /// <param name="cancellationToken">Ends it between files.</param>
    public async Task<ImmutableArray<StoreFinding>> VerifyAsync(string? name, bool repair, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var findings = ImmutableArray.CreateBuilder<StoreFinding>();
        if (!Directory.Exists(_folder.Models)) return [];
        await using var held = repair ? await HoldAsync(cancellationToken).ConfigureAwait(false) : null;
        long read = 0;
        foreach (var path in Directory.GetFiles(_folder.Models, "*.json").Order(StringComparer.Ordinal))
        {
            if (name is not null && !string.Equals(System.IO.Path.GetFileNameWithoutExtension(path), name, StringComparison.OrdinalIgnoreCase)) continue;
            if (ModelEntry.TryRead(path) is not { } entry)
            {
                findings.Add(new StoreFinding(StoreProblem.Unreadable, null, System.IO.Path.GetRelativePath(_folder.Root, path), LengthOf(path), repair ? StoreRepair.Removed : StoreRepair.None));
                if (repair) Quarantine(path);
                continue;
            }
            await VerifyModelAsync(entry).ConfigureAwait(false);
        }
        if (name is null) CollectOrphans(findings, repair, TimeSpan.Zero);
        return findings.ToImmutable();

        async Task VerifyModelAsync(ModelEntry entry)
        {
            var digest = entry.TreeDigest;
            var broken = new List<(EntryFile File, StoreProblem Problem)>();
            foreach (var file in entry.Files)
            {
                var problem = await LookAsync(_folder.BlobPath(file.Sha256), file.Sha256).ConfigureAwait(false)
                    ?? await LookAsync(System.IO.Path.Combine(_folder.TreePath(digest), file.Path), file.Sha256).ConfigureAwait(false);
                if (problem is { } wrong) broken.Add((file, wrong));
            }
            var forms = new List<EntryForm>();
            foreach (var form in entry.Forms)
            {
                var problem = await LookAsync(_folder.BlobPath(form.Sha256), form.Sha256).ConfigureAwait(false) ?? await LookAsync(_folder.BlobPath(form.Graph), form.Graph).ConfigureAwait(false);
                if (problem is { } wrong) findings.Add(new StoreFinding(wrong, entry.Name, $"{form.Of} as {form.Format}", form.Bytes, repair ? StoreRepair.Removed : StoreRepair.None));
                else forms.Add(form);
            }
            if (!repair)
            {
                findings.AddRange(broken.Select(item => new StoreFinding(item.Problem, entry.Name, item.File.Path, item.File.Bytes, StoreRepair.None)));
                return;
            }
            if (forms.Count != entry.Forms.Length)
            {
                foreach (var lost in entry.Forms.Except(forms)) DropDamaged(lost.Sha256, lost.Graph);
                entry = entry with { Forms = [.. forms] };
                _folder.WriteWhole(_folder.EntryPath(entry.Name), entry.ToJson());
            }
            if (broken.Count == 0) return;
            using var lease = StoreFolder.TryHold(_folder.LeasePath(digest), shared: false);
            if (lease is null)
            {
                findings.AddRange(broken.Select(item => new StoreFinding(item.Problem, entry.Name, item.File.Path, item.File.Bytes, StoreRepair.Postponed)));
                return;
            }

            DeleteTree(digest);
            var isWhole = true;
            foreach (var (file, problem) in broken)
            {
                var isSound = await LookAsync(_folder.BlobPath(file.Sha256), file.Sha256).ConfigureAwait(false) is null;   // only its link was wrong
                if (!isSound) Quarantine(_folder.BlobPath(file.Sha256));
                if (!isSound) isSound = await TryRebuildAsync(entry, file, cancellationToken).ConfigureAwait(false);
                isWhole &= isSound;
                findings.Add(new StoreFinding(problem, entry.Name, file.Path, file.Bytes, isSound ? StoreRepair.Rebuilt : StoreRepair.ModelRemoved));
            }
            if (isWhole)
            {
                MakeTree(entry);
                return;
            }
            File.Delete(_folder.EntryPath(entry.Name));
            RemoveUnreferenced(entry.Blobs);
        }

        async Task<StoreProblem?> LookAsync(string path, string sha256)
        {
            if (!File.Exists(path)) return StoreProblem.Missing;
            var found = await BlobDigest.OfFileAsync(path, cancellationToken).ConfigureAwait(false);
            read += LengthOf(path);
            progress?.Report(read);
            return found == sha256 ? null : StoreProblem.Damaged;
        }
    }

    /// <summary>Removes what processes that died left, and downloads that nobody went on with. Does nothing while anyone installs.</summary>
    /// <returns>Bytes freed.</returns>
    public async Task<long> CollectAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_folder.Models)) return 0;
        await using var held = await HoldAsync(cancellationToken).ConfigureAwait(false);
        var findings = ImmutableArray.CreateBuilder<StoreFinding>();
        CollectOrphans(findings, repair: true, TimeSpan.FromDays(1));
        return findings.Where(static finding => finding.Repair == StoreRepair.Removed).Sum(static finding => finding.Bytes);
    }

    private void CollectOrphans(ImmutableArray<StoreFinding>.Builder findings, bool repair, TimeSpan blobAge)
    {
        // Whoever installs holds this; alone with it, nothing under tmp has an owner, and a blob that no entry names is of an installation that ended without one.
        using var alone = StoreFolder.TryHold(_folder.InstallingPath, shared: false);
        if (alone is null) return;
        var now = _time.GetUtcNow().UtcDateTime;
        var entries = Entries().ToList();
        var blobs = entries.SelectMany(static entry => entry.Blobs).ToHashSet(StringComparer.Ordinal);
        var trees = entries.Select(static entry => entry.TreeDigest).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFileSystemEntries(_folder.Temporary)) Found(path);
        foreach (var path in Directory.EnumerateFiles(_folder.Blobs, "*", SearchOption.AllDirectories))
            if (!blobs.Contains(string.Concat(System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)), System.IO.Path.GetFileName(path))) && now - File.GetLastWriteTimeUtc(path) >= blobAge) Found(path);
        foreach (var folder in Directory.EnumerateDirectories(_folder.Trees))
            if (!trees.Contains(System.IO.Path.GetFileName(folder)) && !IsLeased(System.IO.Path.GetFileName(folder))) Found(folder);
        foreach (var folder in Directory.EnumerateDirectories(_folder.Optimised))
            if (!trees.Contains(System.IO.Path.GetFileName(folder)) && !IsLeased(System.IO.Path.GetFileName(folder))) Found(folder);
        foreach (var path in Directory.EnumerateFiles(_folder.Parts))
            if (!System.IO.Path.GetFileName(path).StartsWith("lock-", StringComparison.Ordinal) && now - File.GetLastWriteTimeUtc(path) > _options.KeepPartial) Found(path);
        // Lease files stay: a lock on one that was deleted would hold nobody back.

        void Found(string path)
        {
            var isFolder = Directory.Exists(path);
            // Links in a tree take no room of their own.
            var bytes = !isFolder ? LengthOf(path) : path.StartsWith(_folder.Trees, StringComparison.Ordinal) ? 0 : StoreFolder.BytesBelow(path);
            findings.Add(new StoreFinding(StoreProblem.Orphaned, null, System.IO.Path.GetRelativePath(_folder.Root, path), bytes, repair ? StoreRepair.Removed : StoreRepair.None));
            if (!repair) return;
            if (isFolder) StoreFolder.TryDeleteFolder(path);
            else StoreFolder.TryDelete(path);
        }
    }

    /// <summary>Puts the graph and its weights, kept in another format, together; the digest says whether it is the file that was.</summary>
    private async Task<bool> TryRebuildAsync(ModelEntry entry, EntryFile file, CancellationToken cancellationToken)
    {
        foreach (var form in entry.Forms.Where(form => form.Of == file.Path))
        {
            var temporary = _folder.NewTemporaryPath();
            try
            {
                await WeightForms.JoinAsync(_folder.BlobPath(form.Graph), _folder.BlobPath(form.Sha256), form.Format, temporary, cancellationToken).ConfigureAwait(false);
                if (await BlobDigest.OfFileAsync(temporary, cancellationToken).ConfigureAwait(false) != file.Sha256) continue;
                CommitBlob(temporary, file.Sha256);
                return true;
            }
            catch (Exception failure) when (failure is ModelException or IOException)
            {
                // The next format.
            }
            finally
            {
                StoreFolder.TryDelete(temporary);
            }
        }
        return false;
    }

    private void DropDamaged(params ReadOnlySpan<string> digests)
    {
        var referenced = Entries().SelectMany(static entry => entry.Files.Select(static file => file.Sha256)).ToHashSet(StringComparer.Ordinal);
        foreach (var digest in digests)
            if (!referenced.Contains(digest) && File.Exists(_folder.BlobPath(digest))) StoreFolder.TryDelete(_folder.BlobPath(digest));
    }

    /// <summary>Puts a damaged file aside for whoever wants to know why; small ones, and few.</summary>
    private void Quarantine(string path)
    {
        if (!File.Exists(path)) return;
        if (LengthOf(path) > MaxDamagedBytes)
        {
            StoreFolder.TryDelete(path);
            return;
        }
        StoreFolder.CreateFolder(_folder.Damaged);
        File.Move(path, System.IO.Path.Combine(_folder.Damaged, string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyyMMddHHmmssfff}-{System.IO.Path.GetFileName(path)}")), overwrite: true);
        var kept = Directory.GetFiles(_folder.Damaged).Order(StringComparer.Ordinal).ToArray();
        foreach (var oldest in kept.AsSpan(0, Math.Max(0, kept.Length - MaxDamagedKept))) StoreFolder.TryDelete(oldest);
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
