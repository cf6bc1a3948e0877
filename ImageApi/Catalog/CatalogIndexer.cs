using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using ImageApi.Origins;
using Microsoft.Extensions.Options;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Catalog;

/// <summary>
/// Keeps the catalog in agreement with the origins that can be listed: compares them at the start and from time to time (by stamps alone: an unchanged file is
/// not read), each on its own, so that one that is slow or away holds up no other; and looks at what the watchers of folders tell once it has been quiet for a while.
/// </summary>
internal sealed class CatalogIndexer : BackgroundService
{
    /// <summary>Files read and not yet committed: the queue of the writer is kept full, memory bounded.</summary>
    private const int MaxUncommitted = 1024;

    /// <summary>Items that an origin may fail to deliver before comparing with it is given up for this time.</summary>
    private const int MaxUnreached = 16;

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
        if (!_origins.TryGet<IIndexedOrigin>(location.OriginName, out var origin) || await origin.GetStampAsync(location.Item, cancellationToken) is not { } stamp)
        {
            await _catalog.RemoveAsync(location, cancellationToken);
            return null;
        }
        var known = _catalog.Read(reader => FolderRows.Find(reader, location), cancellationToken);
        if (known is { State: not FileState.Conflict } row && row.Stamp == stamp) return null;
        return await SubmitAsync(await ReadAsync(origin, location.Item, isKnown: known is not null, cancellationToken), cancellationToken);
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

    /// <summary>Compares an origin with the catalog, whole.</summary>
    /// <exception cref="OriginException">The origin could not be listed; entries that were not looked at stay.</exception>
    public async Task ReconcileAsync(IIndexedOrigin origin, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var uncommitted = new SemaphoreSlim(MaxUncommitted);
        long files = 0, read = 0, removed = 0, unparsed = 0, conflicts = 0, unreached = 0;
        var gone = new List<OriginItem>();
        var changed = origin is IListedOrigin listed
            ? ListingDifferencesAsync(listed, gone, () => files++, cancellationToken)
            : FolderDifferences((FolderOrigin)origin, gone, () => files++).ToAsyncEnumerable();
        await Parallel.ForEachAsync(changed, new ParallelOptions { MaxDegreeOfParallelism = origin.IndexReaders ?? _options.Readers, CancellationToken = cancellationToken }, async (item, token) =>
        {
            IndexedFile file;
            try
            {
                file = await ReadAsync(origin, item.Item, item.IsKnown, token);
            }
            catch (OriginException exception) when (Interlocked.Increment(ref unreached) <= MaxUnreached)
            {
                _logger.ExamineFailed(origin.Name, exception);   // the next comparison finds it again
                return;
            }
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
        Reconciled(origin);
        var elapsed = _time.GetElapsedTime(started);
        if (read + removed > 0) _logger.OriginReconciled(origin.Name, elapsed.TotalMilliseconds, files, read, removed, unparsed);
        if (conflicts > 0) _logger.InstanceConflicts(origin.Name, conflicts);
        _metrics.Reconciled(origin.Name, elapsed);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();   // the service is ready while this goes on
        var followed = new Dictionary<IIndexedOrigin, Following>(ReferenceEqualityComparer.Instance);
        using var changed = new SemaphoreSlim(0);
        void Changed() => changed.Release();
        _origins.Changed += Changed;
        var noticed = ExamineNoticedAsync(stoppingToken);
        try
        {
            while (true)
            {
                await FollowOnlyAsync(_origins.Indexed, followed, stoppingToken);
                await changed.WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _origins.Changed -= Changed;
            foreach (var following in followed.Values) await following.StopAsync();
            await noticed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Follows these origins and no others. What the catalog has of an origin that went leaves it; one that was set up anew is compared anew.</summary>
    private async Task FollowOnlyAsync(IReadOnlyList<IIndexedOrigin> origins, Dictionary<IIndexedOrigin, Following> followed, CancellationToken cancellationToken)
    {
        foreach (var gone in followed.Keys.Except(origins).ToArray())
        {
            await followed[gone].StopAsync();
            followed.Remove(gone);
            _reconciled.TryRemove(gone.Name, out _);
        }
        await _catalog.KeepOriginsAsync([.. origins.Select(origin => origin.Name)], cancellationToken);
        foreach (var origin in origins.Where(origin => !followed.ContainsKey(origin)))
        {
            var watcher = origin is FolderOrigin folder && folder.Traits.HasFlag(OriginTraits.Watched)
                ? new FolderWatcher(folder, item => Notice(new FileLocation(origin.Name, item), settle: true), () => _toReconcile[origin.Name] = Due(settle: true), _logger)
                : null;
            followed[origin] = new Following(token => FollowAsync(origin, watcher, token), watcher, cancellationToken);
        }
    }

    /// <summary>Compares an origin with the catalog now, whenever its watcher asks for it, and from time to time.</summary>
    private async Task FollowAsync(IIndexedOrigin origin, FolderWatcher? watcher, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var interval = (origin as IListedOrigin)?.ListInterval ?? _options.ReconcileInterval;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250), _time);
        var next = _time.GetTimestamp();
        do
        {
            var now = _time.GetTimestamp();
            var isAskedFor = _toReconcile.TryGetValue(origin.Name, out var due) && due <= now;
            if (now < next && !isAskedFor) continue;
            if (now >= next) next = now + (long)(interval.TotalSeconds * _time.TimestampFrequency);
            if (isAskedFor) _toReconcile.TryRemove(new KeyValuePair<string, long>(origin.Name, due));
            watcher?.EnsureStarted();
            try
            {
                await ReconcileAsync(origin, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                _logger.ReconcileFailed(origin.Name, exception);
                // A folder may be a mount to come; a server that is away must not keep everything else waiting.
                if (origin is IListedOrigin) Reconciled(origin);
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private void Reconciled(IIndexedOrigin origin)
    {
        _reconciled[origin.Name] = true;
        _catalog.IsReconciled = _origins.Indexed.All(indexed => _reconciled.ContainsKey(indexed.Name));
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

    /// <summary>The following of one origin, and its end.</summary>
    private sealed class Following
    {
        private readonly CancellationTokenSource _stopping;
        private readonly FolderWatcher? _watcher;
        private readonly Task _work;

        public Following(Func<CancellationToken, Task> follow, FolderWatcher? watcher, CancellationToken cancellationToken)
        {
            _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _watcher = watcher;
            _work = follow(_stopping.Token);
        }

        public async Task StopAsync()
        {
            await _stopping.CancelAsync();
            await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _watcher?.Dispose();
            _stopping.Dispose();
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
    private IEnumerable<(OriginItem Item, bool IsKnown)> FolderDifferences(FolderOrigin origin, List<OriginItem> gone, Action counted)
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

    /// <summary>The same of a listing, which comes in no particular order: what is known of the origin is held in memory meanwhile, about 200 bytes a file.</summary>
    private async IAsyncEnumerable<(OriginItem Item, bool IsKnown)> ListingDifferencesAsync(
        IListedOrigin origin, List<OriginItem> gone, Action counted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = _catalog.Read(reader => FolderRows.Read(reader, origin.Name), cancellationToken);
        await foreach (var (item, stamp) in origin.ListItemsAsync(cancellationToken))
        {
            counted();
            var isKnown = rows.Remove(item.Path, out var row);
            if (!isKnown || row.Stamp != stamp) yield return (item, isKnown);
        }
        foreach (var path in rows.Keys) gone.Add(new OriginItem(path));
    }

    /// <exception cref="OriginException">An origin behind a network failed: that says nothing of the item.</exception>
    private async ValueTask<IndexedFile> ReadAsync(IIndexedOrigin origin, OriginItem item, bool isKnown, CancellationToken cancellationToken)
    {
        var location = new FileLocation(origin.Name, item);
        string reason;
        try
        {
            var (file, stamp, version) = await origin.ReadHeaderAsync(item, cancellationToken);
            using var dicom = file;
            if (dicom is null) return Unparsed(stamp, version, "No DICOM, or broken");
            if (isKnown && version.IsSha256 && origin is FolderOrigin store && !Matches(store, item, version)) return Unparsed(stamp, version, "The bytes are not those that were stored");
            if (InstanceHeader.TryRead(dicom, out var header, out reason)) return new IndexedFile { Location = location, Stamp = stamp, Version = version, Header = header };
            return Unparsed(stamp, version, reason);
        }
        catch (DicomParseException)
        {
            reason = "No DICOM, or broken";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reason = "Cannot be read";
        }
        catch (OriginException exception) when (origin is FolderOrigin || exception.Failure is OriginFailure.Absent or OriginFailure.Broken)
        {
            reason = exception.Failure == OriginFailure.Refused ? "Leads out of the folder, or may not be read" : "Cannot be read";
        }
        // The file itself may not be to be had, but something of that name is there.
        var seen = origin is FolderOrigin folder ? FileSystem.GetStamp(folder.PathOf(item)) ?? default : await origin.GetStampAsync(item, cancellationToken) ?? default;
        return Unparsed(seen, OriginVersion.FromFile(seen), reason);

        IndexedFile Unparsed(FileStamp stamp, OriginVersion version, string why)
        {
            _logger.FileUnparsed(origin.Name, why);
            return new IndexedFile { Location = location, Stamp = stamp, Version = version, Reason = why };
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
        if (!_origins.TryGet<IIndexedOrigin>(other.OriginName, out var otherOrigin) || !_origins.TryGet<IIndexedOrigin>(file.Location.OriginName, out var origin)) return ComparisonResult.OtherGone;
        try
        {
            await using var right = await otherOrigin.OpenAsync(other.Item, otherVersion, range: null, cancellationToken);
            await using var left = await origin.OpenAsync(file.Location.Item, file.Version, range: null, cancellationToken);
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
