using System.Threading.Channels;
using ImageApi.Origins;
using Microsoft.Data.Sqlite;

namespace ImageApi.Catalog;

/// <summary>
/// The only writer of the database. Work waits in a queue and is done in batches, one transaction each: whoever asks first waits for one commit, and
/// everybody who asks meanwhile shares the next. A batch that fails is done again piece by piece, so that one bad piece fails alone.
/// </summary>
internal sealed class CatalogWriter : IAsyncDisposable
{
    /// <summary>Enough to make the commit's cost vanish, few enough that a search soon sees them.</summary>
    private const int MaxBatch = 512;

    private readonly CatalogDatabase _database;
    private readonly Action<CatalogChanges> _committed;
    private readonly ILogger _logger;
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(4 * MaxBatch) { SingleReader = true });
    private readonly Task _loop;

    /// <param name="database">Its writer connection belongs to this object from now on.</param>
    /// <param name="rankOf">The place of an origin among all: the first location by (rank, item) serves an instance.</param>
    /// <param name="committed">Called after each commit and before those who wait for it go on.</param>
    /// <param name="logger">For conflicts and mixed studies.</param>
    public CatalogWriter(CatalogDatabase database, Func<string, int> rankOf, Action<CatalogChanges> committed, ILogger logger)
    {
        _database = database;
        _committed = committed;
        _logger = logger;
        Tables = new CatalogTables(database.Writer, rankOf);
        _loop = Task.Run(RunAsync);   // on no caller's context
    }

    private CatalogTables Tables { get; }

    /// <summary>Takes in a file: new, changed, or seen again. Returns when it is committed.</summary>
    public Task<IndexOutcome> UpsertAsync(IndexedFile file, CancellationToken cancellationToken) => EnqueueAsync(tables => tables.Upsert(file), cancellationToken);

    /// <summary>Forgets a file. Harmless when it is not known.</summary>
    public Task RemoveAsync(FileLocation location, CancellationToken cancellationToken) =>
        EnqueueAsync(tables => { tables.Remove(location); return default; }, cancellationToken);

    /// <summary>Forgets every file of the origins that are not among <paramref name="names"/>.</summary>
    public Task KeepOriginsAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        EnqueueAsync(tables => { tables.KeepOrigins(names); return default; }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }

    private async Task<IndexOutcome> EnqueueAsync(Func<CatalogTables, IndexOutcome> run, CancellationToken cancellationToken)
    {
        var work = new Work(run);
        await _queue.Writer.WriteAsync(work, cancellationToken);
        return await work.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync()
    {
        var batch = new List<Work>(MaxBatch);
        while (await _queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var work)) batch.Add(work);
            if (TryCommit(batch, out var failure)) continue;
            foreach (var work in batch)
            {
                if (batch.Count > 1 && TryCommit([work], out failure)) continue;
                work.Done.TrySetException(failure!);
            }
        }
    }

    private bool TryCommit(IReadOnlyList<Work> batch, out Exception? failure)
    {
        var writer = _database.Writer;
        try
        {
            writer.Run("BEGIN IMMEDIATE");
            Tables.Begin();
            foreach (var work in batch) work.Outcome = work.Run(Tables);
            var changes = Tables.Finish();
            writer.Run("COMMIT");
            foreach (var _ in changes.Mixed) _logger.StudyOfSeveralPatients();
            _committed(changes);
            foreach (var work in batch) work.Done.TrySetResult(work.Outcome);
            failure = null;
            return true;
        }
        catch (Exception exception)
        {
            failure = exception;
            try
            {
                writer.Run("ROLLBACK");
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself: a full disk, an I/O error.
            }
            if (batch.Count == 1 || exception is not SqliteException) _logger.CatalogWriteFailed(exception);
            return false;
        }
    }

    private sealed class Work(Func<CatalogTables, IndexOutcome> run)
    {
        public Func<CatalogTables, IndexOutcome> Run { get; } = run;
        public IndexOutcome Outcome { get; set; }
        public TaskCompletionSource<IndexOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a commit changed.</summary>
internal sealed class CatalogChanges
{
    public HashSet<SeriesRef> Series { get; } = [];
    public HashSet<string> Studies { get; } = new(StringComparer.Ordinal);

    /// <summary>Files whose claim to a SOP Instance UID was refused for an instance that is gone now: to be looked at again.</summary>
    public List<FileLocation> Reexamine { get; } = [];

    /// <summary>Studies that turned out to hold several patients.</summary>
    public HashSet<string> Mixed { get; } = new(StringComparer.Ordinal);

    public bool IsEmpty => Series.Count == 0 && Studies.Count == 0;
}
