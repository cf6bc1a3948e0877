using System.Collections.Concurrent;
using System.Security.Cryptography;
using ImageApi.Origins;
using Microsoft.Extensions.Options;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Catalog;

/// <summary>
/// Keeps the catalog in agreement with the folders: compares them at the start and from time to time (by <c>stat</c> alone: an unchanged file is not read),
/// and looks at what the watchers tell once it has been quiet for a while.
/// </summary>
internal sealed class CatalogIndexer : BackgroundService
{
    /// <summary>Files read and not yet committed: the queue of the writer is kept full, memory bounded.</summary>
    private const int MaxUncommitted = 1024;

    private readonly SqliteCatalog _catalog;
    private readonly OriginSet _origins;
    private readonly CatalogOptions _options;
    private readonly CatalogMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<CatalogIndexer> _logger;
    private readonly ConcurrentDictionary<FileLocation, long> _noticed = new();
    private readonly ConcurrentDictionary<string, long> _toReconcile = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _reconciled = new(StringComparer.Ordinal);

    public CatalogIndexer(SqliteCatalog catalog, OriginSet origins, IOptions<CatalogOptions> options, CatalogMetrics metrics, TimeProvider time, ILogger<CatalogIndexer> logger)
    {
        (_catalog, _origins, _options, _metrics, _time, _logger) = (catalog, origins, options.Value, metrics, time, logger);
        catalog.Examine = async (location, cancellationToken) => await ExamineAsync(location, cancellationToken);
        catalog.Reexamine += location => Notice(location, settle: false);
    }

    /// <summary>Looks at a file and takes in what it finds: nothing (the entry leaves), another version, or what is known already.</summary>
    public async Task<IndexResult?> ExamineAsync(FileLocation location, CancellationToken cancellationToken)
    {
        if (_origins.Find(location.OriginName) is not { } origin || Look(origin, location.Item) is not { } stamp)
        {
            await _catalog.RemoveAsync(location, cancellationToken);
            return null;
        }
        var known = _catalog.Read(reader => FolderRows.Find(reader, location), cancellationToken);
        if (known is { State: not FileState.Conflict } row && row.Stamp == stamp) return null;
        return await SubmitAsync(Read(origin, location.Item, isKnown: known is not null, cancellationToken), cancellationToken);
    }

    /// <summary>Submits a file, comparing its bytes with another location of the same instance where the catalog asks for it.</summary>
    public async Task<IndexResult> SubmitAsync(IndexedFile file, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var outcome = await _catalog.UpsertAsync(file, cancellationToken);
            if (outcome.Result != IndexResult.NeedsComparison)
            {
                _metrics.Indexed(file.Location.OriginName, outcome.Result);
                if (outcome.Result == IndexResult.Conflict) _logger.InstanceConflict(file.Location.OriginName);
                return outcome.Result;
            }
            if (attempt == 8) throw new InvalidOperationException("The locations of an instance keep changing.");
            file = file with { Comparison = new FileComparison(outcome.Other, outcome.OtherVersion, await CompareAsync(file, outcome.Other, outcome.OtherVersion, cancellationToken)) };
        }
    }

    /// <summary>Compares a folder with the catalog, whole.</summary>
    public async Task ReconcileAsync(FolderOrigin origin, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        using var uncommitted = new SemaphoreSlim(MaxUncommitted);
        long files = 0, read = 0, removed = 0, unparsed = 0, conflicts = 0;
        var gone = new List<OriginItem>();
        var changed = Differences(origin, gone, () => files++);
        await Parallel.ForEachAsync(changed, new ParallelOptions { MaxDegreeOfParallelism = _options.Readers, CancellationToken = cancellationToken }, async (item, token) =>
        {
            var file = Read(origin, item.Item, item.IsKnown, token);
            Interlocked.Increment(ref read);
            if (file.Header is null) Interlocked.Increment(ref unparsed);
            await uncommitted.WaitAsync(token);
            _ = SubmitAndReleaseAsync(file, uncommitted, () => Interlocked.Increment(ref conflicts), token);
        });
        for (var i = 0; i < MaxUncommitted; i++) await uncommitted.WaitAsync(cancellationToken);

        // Last, so that an instance that moved is never missing in between; looked at again, because it may have come back meanwhile.
        foreach (var item in gone)
        {
            await ExamineAsync(new FileLocation(origin.Name, item), cancellationToken);
            removed++;
        }
        _reconciled[origin.Name] = true;
        _catalog.IsReconciled = _origins.Folders.All(folder => _reconciled.ContainsKey(folder.Name));
        var elapsed = _time.GetElapsedTime(started);
        if (read + removed > 0) _logger.OriginReconciled(origin.Name, elapsed.TotalMilliseconds, files, read, removed, unparsed);
        if (conflicts > 0) _logger.InstanceConflicts(origin.Name, conflicts);
        _metrics.Reconciled(origin.Name, elapsed);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();   // the service is ready while this goes on
        var watchers = new List<FolderWatcher>();
        try
        {
            await _catalog.KeepOriginsAsync([.. _origins.Folders.Select(folder => folder.Name)], stoppingToken);
            foreach (var origin in _origins.Folders.Where(folder => folder.Traits.HasFlag(OriginTraits.Watched)))
                watchers.Add(new FolderWatcher(origin, item => Notice(new FileLocation(origin.Name, item), settle: true), () => _toReconcile[origin.Name] = Due(settle: true), _logger));
            await Task.WhenAll(ReconcileAllAsync(watchers, stoppingToken), ExamineNoticedAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var watcher in watchers) watcher.Dispose();
        }
    }

    private async Task ReconcileAllAsync(List<FolderWatcher> watchers, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250), _time);
        var next = _time.GetTimestamp();
        do
        {
            if (_time.GetTimestamp() >= next)
            {
                foreach (var origin in _origins.Folders) _toReconcile.TryAdd(origin.Name, 0);
                next = _time.GetTimestamp() + (long)(_options.ReconcileInterval.TotalSeconds * _time.TimestampFrequency);
            }
            foreach (var (name, due) in _toReconcile)
            {
                if (due > _time.GetTimestamp() || !_toReconcile.TryRemove(new KeyValuePair<string, long>(name, due))) continue;
                foreach (var watcher in watchers.Where(watcher => watcher.Origin.Name == name)) watcher.EnsureStarted();
                try
                {
                    await ReconcileAsync(_origins.Find(name)!, cancellationToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    _logger.ReconcileFailed(name, exception);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private async Task ExamineNoticedAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), _time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (_noticed.IsEmpty) continue;
            var now = _time.GetTimestamp();
            var due = _noticed.Where(pair => pair.Value <= now).ToArray();
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = _options.Readers * 4, CancellationToken = cancellationToken }, async (pair, token) =>
            {
                if (!_noticed.TryRemove(pair)) return;   // something happened to it again
                try
                {
                    await ExamineAsync(pair.Key, token);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    _logger.ExamineFailed(pair.Key.OriginName, exception);
                }
            });
        }
    }

    private void Notice(FileLocation location, bool settle) => _noticed[location] = Due(settle);

    private long Due(bool settle) => _time.GetTimestamp() + (settle ? (long)(_options.SettleTime.TotalSeconds * _time.TimestampFrequency) : 0);

    private async Task SubmitAndReleaseAsync(IndexedFile file, SemaphoreSlim slot, Action conflict, CancellationToken cancellationToken)
    {
        try
        {
            if (await SubmitAsync(file, cancellationToken) == IndexResult.Conflict) conflict();
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException) _logger.ExamineFailed(file.Location.OriginName, exception);
        }
        finally
        {
            slot.Release();
        }
    }

    /// <summary>Items that are new or changed, as they are found; those that are gone are put into <paramref name="gone"/>.</summary>
    private IEnumerable<(OriginItem Item, bool IsKnown)> Differences(FolderOrigin origin, List<OriginItem> gone, Action counted)
    {
        var folders = _catalog.Read(reader => FolderRows.Folders(reader, origin.Name));
        foreach (var folder in FolderScan.Folders(origin.Root))
        {
            folders.Remove(folder);

            // The catalog first, then the disk: what is stored in between is taken for new and looked at once more, which does no harm.
            var rows = _catalog.Read(reader => FolderRows.Read(reader, origin.Name, folder));
            foreach (var (item, stamp) in FolderScan.Files(origin.Root, folder))
            {
                counted();
                var isKnown = rows.Remove(item.Path, out var row);
                if (!isKnown || row.Stamp != stamp) yield return (item, isKnown);
            }
            foreach (var path in rows.Keys) gone.Add(new OriginItem(path));
        }
        foreach (var folder in folders)
        {
            foreach (var path in _catalog.Read(reader => FolderRows.Read(reader, origin.Name, folder)).Keys) gone.Add(new OriginItem(path));
        }
    }

    private static FileStamp? Look(FolderOrigin origin, OriginItem item)
    {
        try
        {
            using var file = origin.OpenFile(item, out var stamp);
            return stamp;
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Absent)
        {
            return null;
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Refused)
        {
            return null;   // not ours to serve, whatever lies there
        }
    }

    private IndexedFile Read(FolderOrigin origin, OriginItem item, bool isKnown, CancellationToken cancellationToken)
    {
        var location = new FileLocation(origin.Name, item);
        FileStamp stamp = default;
        string reason;
        try
        {
            using var dicom = origin.ReadHeader(item, out stamp, cancellationToken);
            var version = origin.VersionOf(item, stamp);
            if (isKnown && version.IsSha256 && !Matches(origin, item, version)) return Unparsed("The bytes are not those that were stored");
            if (InstanceHeader.TryRead(dicom, out var header, out reason)) return new IndexedFile { Location = location, Stamp = stamp, Version = version, Header = header };
        }
        catch (Exception exception) when (exception is DicomParseException or IOException or UnauthorizedAccessException)
        {
            reason = exception is DicomParseException ? "No DICOM, or broken" : "Cannot be read";
        }
        catch (OriginException exception)
        {
            reason = exception.Failure == OriginFailure.Refused ? "Leads out of the folder, or may not be read" : "Cannot be read";
        }
        return Unparsed(reason);

        IndexedFile Unparsed(string why)
        {
            _logger.FileUnparsed(origin.Name, why);
            if (stamp == default) stamp = FileSystem.GetStamp(origin.PathOf(item)) ?? default;
            return new IndexedFile { Location = location, Stamp = stamp, Version = origin.VersionOf(item, stamp), Reason = why };
        }
    }

    /// <summary>Whether a stored file still has the bytes that its name tells. Asked when the file has been touched, never on the serving path.</summary>
    public static bool Matches(FolderOrigin origin, OriginItem item, OriginVersion version)
    {
        using var file = origin.OpenFile(item, out _);
        using var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
        return OriginVersion.FromSha256(new Digest256(SHA256.HashData(stream))) == version;
    }

    private async Task<ComparisonResult> CompareAsync(IndexedFile file, FileLocation other, OriginVersion otherVersion, CancellationToken cancellationToken)
    {
        if (_origins.Find(other.OriginName) is not { } otherOrigin) return ComparisonResult.OtherGone;
        try
        {
            await using var right = await otherOrigin.OpenAsync(other.Item, otherVersion, range: null, cancellationToken);
            await using var left = await _origins.Find(file.Location.OriginName)!.OpenAsync(file.Location.Item, file.Version, range: null, cancellationToken);
            return await AreEqualAsync(left, right, cancellationToken) ? ComparisonResult.Same : ComparisonResult.Different;
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Absent or OriginFailure.Changed)
        {
            return ComparisonResult.OtherGone;
        }
    }

    private static async Task<bool> AreEqualAsync(OriginRead left, OriginRead right, CancellationToken cancellationToken)
    {
        if (left.Length != right.Length) return false;
        var (first, second) = (new byte[64 << 10], new byte[64 << 10]);
        for (long position = 0; position < left.Length;)
        {
            var read = await left.ReadAsync(first, position, cancellationToken);
            for (var matched = 0; matched < read;)
            {
                var other = await right.ReadAsync(second.AsMemory(0, read - matched), position + matched, cancellationToken);
                if (!second.AsSpan(0, other).SequenceEqual(first.AsSpan(matched, other))) return false;
                matched += other;
            }
            position += read;
        }
        return true;
    }
}
