using System.Threading.Channels;
using ImageApi.Catalog;
using ImageApi.Origins;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace ImageApi.Store;

/// <summary>
/// Makes arrivals durable, in groups over all requests: the data of every file (several at once), then their names, then the folders' entries, then the
/// catalog; and only then whoever waits is told. A process killed at any point leaves either nothing or the whole instance.
/// </summary>
internal sealed class StoreCommitter : IAsyncDisposable
{
    private const int MaxGroup = 256;

    private readonly StoreFolder _folder;
    private readonly SqliteCatalog _catalog;
    private readonly CatalogIndexer _indexer;
    private readonly StoreMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<StoreCommitter> _logger;
    private readonly ParallelOptions _flushers;
    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(4 * MaxGroup) { SingleReader = true });
    private readonly Task _loop;

    public StoreCommitter(StoreFolder folder, SqliteCatalog catalog, CatalogIndexer indexer, IOptions<StoreOptions> options, StoreMetrics metrics, TimeProvider time, ILogger<StoreCommitter> logger)
    {
        (_folder, _catalog, _indexer, _metrics, _time, _logger) = (folder, catalog, indexer, metrics, time, logger);
        _flushers = new ParallelOptions { MaxDegreeOfParallelism = options.Value.Flushers };
        _loop = Task.Run(RunAsync);   // on no caller's context
    }

    /// <summary>Stores an inspected arrival and disposes it. Returns when it is durable and can be searched, or says why it is not stored.</summary>
    public async Task<StoreOutcome> CommitAsync(Arrival arrival, CancellationToken cancellationToken)
    {
        var pending = new Pending(arrival);
        try
        {
            await _queue.Writer.WriteAsync(pending, cancellationToken);
        }
        catch
        {
            arrival.Dispose();
            throw;
        }
        return await pending.Done.Task;   // not given up: the client that leaves does not undo what others share
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var group = new List<Pending>(MaxGroup);
        while (await _queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < MaxGroup && _queue.Reader.TryRead(out var pending)) group.Add(pending);
            var started = _time.GetTimestamp();
            try
            {
                await CommitGroupAsync(group);
            }
            catch (Exception exception)
            {
                _logger.CommitFailed(exception);
                foreach (var pending in group) pending.Fail(exception);
            }
            finally
            {
                foreach (var pending in group) pending.Arrival.Dispose();
            }
            foreach (var pending in group) pending.Tell();
            _metrics.Committed(group.Count, _time.GetElapsedTime(started));
        }
    }

    private async Task CommitGroupAsync(List<Pending> group)
    {
        foreach (var pending in group) RefuseKnown(pending);

        // The same instance twice in a group: the second one waits for what becomes of the first.
        var first = new Dictionary<OriginItem, Pending>();
        foreach (var pending in group.Where(pending => pending.IsOpen)) pending.SameAs = first.TryAdd(pending.Arrival.Item, pending) ? null : first[pending.Arrival.Item];
        var open = first.Values.ToList();

        await Parallel.ForEachAsync(open, _flushers, (pending, _) =>
        {
            pending.Try(() => FileSystem.FlushData(pending.Arrival.Handle));
            return ValueTask.CompletedTask;
        });

        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pending in open.Where(pending => pending.IsOpen)) pending.Try(() => _folder.MoveIntoPlace(pending.Arrival.Path, pending.Arrival.Item, folders), pending.Arrival.IsInPlace);
        await Parallel.ForEachAsync(folders, _flushers, (folder, _) =>
        {
            FileSystem.FlushFolder(folder);
            return ValueTask.CompletedTask;
        });

        await Task.WhenAll(open.Where(pending => pending.IsOpen).Select(TakeInAsync));
        foreach (var pending in group.Where(pending => pending.SameAs is not null)) pending.Outcome = pending.SameAs!.Outcome;
    }

    /// <summary>Answers what is stored already, before anything is flushed for it.</summary>
    private void RefuseKnown(Pending pending)
    {
        if (_catalog.FindVersion(new FileLocation(IOrigins.StoreName, pending.Arrival.Item)) is { } same && same == pending.Arrival.Version && File.Exists(_folder.PathOf(pending.Arrival.Item)))
            pending.Outcome = StoreOutcome.Stored(pending.Arrival, wasStored: true);
        else if (_catalog.FindVersion(pending.Arrival.Header!.SopUid) is { IsSha256: true } other && other != pending.Arrival.Version)
            pending.Outcome = StoreOutcome.Refused(pending.Arrival, FailureReason.DuplicateInstance);
    }

    private async Task TakeInAsync(Pending pending)
    {
        var arrival = pending.Arrival;
        try
        {
            var result = await _indexer.SubmitAsync(arrival.ToIndexedFile(FileSystem.GetStamp(arrival.Handle)), CancellationToken.None);
            if (result is IndexResult.Indexed or IndexResult.Duplicate)
            {
                pending.Outcome = StoreOutcome.Stored(arrival, wasStored: false);
                return;
            }

            // Another instance of this UID came first: the bytes that nobody was promised go again.
            File.Delete(_folder.PathOf(arrival.Item));
            await _catalog.RemoveAsync(new FileLocation(IOrigins.StoreName, arrival.Item), CancellationToken.None);
            pending.Outcome = StoreOutcome.Refused(arrival, FailureReason.DuplicateInstance);
        }
        catch (Exception exception)
        {
            // Durable, and not to be found until the store is compared with the catalog: better told as a failure. Sending it again does no harm.
            _logger.CommitFailed(exception);
            pending.Fail(exception);
        }
    }

    private sealed class Pending(Arrival arrival)
    {
        public Arrival Arrival { get; } = arrival;
        public StoreOutcome? Outcome { get; set; }
        public Pending? SameAs { get; set; }
        public TaskCompletionSource<StoreOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public bool IsOpen => Outcome is null;

        public void Try(Action step, Action? then = null)
        {
            try
            {
                step();
                then?.Invoke();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Fail(exception);
            }
        }

        public void Fail(Exception exception)
        {
            var isFull = DiskFull.Is(exception);
            Outcome = StoreOutcome.Refused(Arrival, isFull ? FailureReason.OutOfResources : FailureReason.ProcessingFailure, isFull);
        }

        public void Tell() => Done.TrySetResult(Outcome ?? StoreOutcome.Refused(Arrival, FailureReason.ProcessingFailure));
    }
}

/// <summary>Whether an exception says that there is no room left.</summary>
internal static class DiskFull
{
    private const int NoSpaceErrno = 28;
    private const int QuotaErrno = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int SqliteFull = 13;

    public static bool Is(Exception exception) => exception switch
    {
        SystemCallException call => call.IsDiskFull,
        SqliteException sqlite => sqlite.SqliteErrorCode == SqliteFull,
        IOException io => io.HResult is NoSpaceErrno or QuotaErrno or WindowsDiskFull,
        _ => false,
    };
}
