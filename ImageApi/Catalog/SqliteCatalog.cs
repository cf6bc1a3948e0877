using System.Runtime.InteropServices;
using System.Text.Json;
using ImageApi.Origins;
using Microsoft.Data.Sqlite;
using Platform.TieredCache;

namespace ImageApi.Catalog;

/// <summary>The catalog over SQLite: look-ups through <see cref="Snapshots"/>, searches through <see cref="CatalogSearch"/>, changes through <see cref="CatalogWriter"/>.</summary>
internal sealed class SqliteCatalog : ICatalog, IAsyncDisposable
{
    private readonly CatalogDatabase _database;
    private readonly CatalogWriter _writer;
    private readonly Snapshots _snapshots;
    private readonly SemaphoreSlim _searches = new(Math.Max(2, Environment.ProcessorCount));
    private readonly ILogger _logger;
    private long _generation = 1;

    /// <param name="database">Belongs to the catalog from now on.</param>
    /// <param name="rankOf">The place of an origin among all.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="logger">The slice's log.</param>
    public SqliteCatalog(CatalogDatabase database, Func<string, int> rankOf, CatalogOptions options, ILogger<SqliteCatalog> logger)
    {
        _database = database;
        _logger = logger;
        _snapshots = new Snapshots(options.MaxCachedInstances);
        _writer = new CatalogWriter(database, rankOf, OnCommitted, logger);
    }

    /// <summary>Looks at a file again and takes in what it finds; set by the indexer, which knows how to read files.</summary>
    public Func<FileLocation, CancellationToken, Task>? Examine { get; set; }

    public bool IsReconciled { get; set; }

    /// <summary>Files whose claim to a UID may hold now; told after a commit.</summary>
    public event Action<FileLocation>? Reexamine;

    /// <summary>Told after each commit that changed anything.</summary>
    public event Action<CatalogChanges>? Changed;

    public long Generation => Volatile.Read(ref _generation);

    public CatalogStatus Status => Read(reader =>
    {
        var select = reader.Prepare("""
            SELECT (SELECT coalesce(sum(instance_count), 0) FROM studies),
                (SELECT count(*) FROM files WHERE instance_id IS NULL AND state=1), (SELECT count(*) FROM files WHERE instance_id IS NULL AND state=2)
            """);
        select.Step();
        var status = new CatalogStatus(IsReconciled, select.Int64(0), select.Int64(1), select.Int64(2));
        select.Reset();
        return status;
    });

    public Task<IndexOutcome> UpsertAsync(IndexedFile file, CancellationToken cancellationToken) => _writer.UpsertAsync(file, cancellationToken);
    public Task RemoveAsync(FileLocation location, CancellationToken cancellationToken) => _writer.RemoveAsync(location, cancellationToken);
    public Task KeepOriginsAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken) => _writer.KeepOriginsAsync(names, cancellationToken);

    /// <summary>The version of a location of an instance, or null when the catalog has no such location.</summary>
    public OriginVersion? FindVersion(FileLocation location) => Read(reader =>
        Version(reader.Prepare("SELECT version FROM files WHERE origin=? AND item=? AND instance_id IS NOT NULL").Bind(location.OriginName).Bind(location.Item.Path)));

    /// <summary>The version of the location that serves an instance, or null when the catalog has no such instance.</summary>
    public OriginVersion? FindVersion(string sopUid) => Read(reader =>
        Version(reader.Prepare("SELECT files.version FROM instances JOIN files ON files.id=instances.file_id WHERE instances.uid=?").Bind(sopUid)));

    /// <summary>How many instances a study has; 0 when there is no such study.</summary>
    public long CountInstances(string studyUid, CancellationToken cancellationToken) => Read(reader =>
    {
        var select = reader.Prepare("SELECT instance_count FROM studies WHERE uid=?").Bind(studyUid);
        if (!select.Step()) return 0;
        var count = select.Int64(0);
        select.Reset();
        return count;
    }, cancellationToken);

    public ValueTask<InstanceEntry?> FindInstanceAsync(InstanceRef instance, CancellationToken cancellationToken)
    {
        if (_snapshots.TryGet(new SeriesRef(instance.StudyUid, instance.SeriesUid), out var series))
            return new ValueTask<InstanceEntry?>(series.TryGetInstance(instance.SopUid, out var entry) ? entry : null);
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<InstanceEntry?>(LoadSeries(new SeriesRef(instance.StudyUid, instance.SeriesUid))?.TryGetInstance(instance.SopUid, out var loaded) == true ? loaded : null);
    }

    public ValueTask<InstanceEntry?> FindInstanceAsync(string sopUid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var series = Read(reader => One(reader.Prepare("""
            SELECT studies.uid, series.uid FROM instances JOIN series ON series.id=instances.series_id JOIN studies ON studies.id=series.study_id WHERE instances.uid=?
            """).Bind(sopUid)));
        return series is { } found ? FindInstanceAsync(new InstanceRef(found.StudyUid, found.SeriesUid, sopUid), cancellationToken) : default;
    }

    public ValueTask<SeriesEntry?> FindSeriesAsync(SeriesRef series, CancellationToken cancellationToken)
    {
        if (_snapshots.TryGet(series, out var entry)) return new ValueTask<SeriesEntry?>(entry);
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<SeriesEntry?>(LoadSeries(series));
    }

    public ValueTask<SeriesEntry?> FindSeriesAsync(string seriesUid, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var series = Read(reader => One(reader.Prepare("""
            SELECT studies.uid, series.uid FROM series JOIN studies ON studies.id=series.study_id WHERE series.uid=? ORDER BY studies.uid LIMIT 1
            """).Bind(seriesUid)));
        return series is { } found ? FindSeriesAsync(found, cancellationToken) : default;
    }

    public ValueTask<StudyEntry?> FindStudyAsync(string studyUid, CancellationToken cancellationToken)
    {
        if (_snapshots.TryGet(studyUid, out var study)) return new ValueTask<StudyEntry?>(study);
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<StudyEntry?>(LoadStudy(studyUid));
    }

    public ValueTask<string?> FindStudyByFolderAsync(string folderName, IReadOnlyCollection<string> rootsSoNamed, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<string?>(Read(reader =>
        {
            // The folder itself, or one so named further down; the leading blob of folders is small beside the files.
            var select = reader.Prepare("""
                SELECT DISTINCT studies.uid FROM files JOIN instances ON instances.id=files.instance_id
                    JOIN series ON series.id=instances.series_id JOIN studies ON studies.id=series.study_id
                WHERE files.folder IN (SELECT DISTINCT folder FROM files WHERE folder=? OR substr(folder, -length(?) - 1)='/' || ?)
                    OR files.folder='' AND files.origin IN (SELECT value FROM json_each(?)) LIMIT 2
                """).Bind(folderName).Bind(folderName).Bind(folderName).Bind(JsonSerializer.Serialize(rootsSoNamed));
            if (!select.Step()) return null;
            var uid = select.Text(0);
            if (!select.Step()) return uid;
            select.Reset();
            return null;
        }));
    }

    public async Task<CatalogPage> QueryAsync(CatalogQuery query, CancellationToken cancellationToken)
    {
        var search = CatalogSearch.Compile(query);
        await _searches.WaitAsync(cancellationToken);
        try
        {
            return Read(search.Run, cancellationToken);
        }
        finally
        {
            _searches.Release();
        }
    }

    public async ValueTask HealAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        _logger.HealingInstance(instance.SopUid);
        if (Examine is { } examine) await examine(new FileLocation(instance.OriginName, instance.Item), cancellationToken);
    }

    /// <summary>Runs something on a reader's connection: one snapshot if it begins a transaction.</summary>
    public T Read<T>(Func<CatalogConnection, T> read, CancellationToken cancellationToken = default)
    {
        var reader = _database.Rent();
        var isGood = false;
        try
        {
            using var registration = cancellationToken.Register(static state => ((CatalogConnection)state!).Interrupt(), reader);
            var result = read(reader);
            isGood = true;
            return result;
        }
        catch (SqliteException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            if (isGood) _database.Return(reader);
            else reader.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        _database.Dispose();
        _searches.Dispose();
    }

    private void OnCommitted(CatalogChanges changes)
    {
        _snapshots.Forget(changes);
        if (!changes.IsEmpty)
        {
            Interlocked.Increment(ref _generation);
            Changed?.Invoke(changes);
        }
        foreach (var location in changes.Reexamine) Reexamine?.Invoke(location);
    }

    private SeriesEntry? LoadSeries(SeriesRef series) => _snapshots.Load(series, this, static (key, catalog) => catalog.Read(reader => ReadSeries(reader, key)));

    private StudyEntry? LoadStudy(string studyUid) => _snapshots.Load(studyUid, this, static (uid, catalog) =>
    {
        var series = catalog.Read(reader =>
        {
            var found = new List<SeriesRef>();
            var select = reader.Prepare("""
                SELECT series.uid FROM series JOIN studies ON studies.id=series.study_id WHERE studies.uid=? ORDER BY series.number IS NULL, series.number, series.uid
                """).Bind(uid);
            while (select.Step()) found.Add(new SeriesRef(uid, select.Text(0)));
            return found;
        });
        var entries = new List<SeriesEntry>(series.Count);
        foreach (var key in series)
        {
            if (catalog._snapshots.TryGet(key, out var known)) entries.Add(known);
            else if (catalog.LoadSeries(key) is { } loaded) entries.Add(loaded);
        }
        return entries.Count == 0 ? null : new StudyEntry(uid, ContentOf(entries), entries);
    });

    private static SeriesEntry? ReadSeries(CatalogConnection reader, SeriesRef key)
    {
        reader.Run("BEGIN");
        try
        {
            var select = reader.Prepare("""
                SELECT series.id, series.modality, series.number, series.description FROM series JOIN studies ON studies.id=series.study_id WHERE studies.uid=? AND series.uid=?
                """).Bind(key.StudyUid).Bind(key.SeriesUid);
            if (!select.Step()) return null;
            var (id, modality, number, description) = (select.Int64(0), select.NullableText(1), select.NullableInt32(2), select.NullableText(3));
            select.Reset();

            var instances = ReadInstances(reader, key, id);
            var content = ContentOf(instances);
            var geometry = SeriesOrder.Sort(instances);
            return new SeriesEntry(key.StudyUid, key.SeriesUid, modality, number, description, content, instances, geometry);
        }
        finally
        {
            reader.Run("COMMIT");
        }
    }

    private static InstanceEntry[] ReadInstances(CatalogConnection reader, SeriesRef key, long series)
    {
        var instances = new List<InstanceEntry>();
        var shared = new SharedStrings();
        var select = reader.Prepare("""
            SELECT i.uid, i.sop_class, i.number, i.rows, i.columns, i.frames, i.samples, i.bits_allocated, i.bits_stored, i.is_signed, i.is_planar, i.photometric,
                i.transfer_syntax, i.pixel_offset, i.pixel_length, i.position, i.orientation, f.origin, f.item, f.version, f.length, f.modified_ns, f.inode
            FROM instances i JOIN files f ON f.id=i.file_id WHERE i.series_id=?
            """).Bind(series);
        while (select.Step())
        {
            var (origin, item, version) = (shared.Get(select.Text(17)), select.Text(18), select.Text(19));
            instances.Add(new InstanceEntry
            {
                StudyUid = key.StudyUid,
                SeriesUid = key.SeriesUid,
                SopUid = select.Text(0),
                SopClassUid = shared.Get(select.Text(1)),
                Number = select.NullableInt32(2),
                Rows = select.Int32(3),
                Columns = select.Int32(4),
                FrameCount = select.Int32(5),
                SamplesPerPixel = select.Int32(6),
                BitsAllocated = select.Int32(7),
                BitsStored = select.Int32(8),
                IsSigned = select.Bool(9),
                IsPlanar = select.Bool(10),
                Photometric = shared.Get(select.Text(11)),
                TransferSyntaxUid = shared.Get(select.Text(12)),
                PixelOffset = select.Int64(13),
                PixelLength = select.Int64(14),
                Position = Doubles(select.Bytes(15)),
                Orientation = shared.Get(Doubles(select.Bytes(16))),
                OriginName = origin,
                Item = new OriginItem(item),
                Version = new OriginVersion(version),
                Stamp = new FileStamp(select.Int64(20), select.Int64(21), select.Int64(22)),
                Content = OriginVersion.ContentOf(origin, item, version),
            });
        }
        return [.. instances];
    }

    private static double[]? Doubles(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? null : MemoryMarshal.Cast<byte, double>(bytes).ToArray();

    /// <summary>Independent of the display order, so that it changes only when instances do.</summary>
    internal static Digest256 ContentOf(InstanceEntry[] instances)
    {
        var sorted = (InstanceEntry[])instances.Clone();
        Array.Sort(sorted, (left, right) => string.CompareOrdinal(left.SopUid, right.SopUid));
        var builder = new DigestBuilder(stackalloc byte[1024], "series1"u8);
        foreach (var instance in sorted)
        {
            builder.Add(instance.SopUid);
            builder.Add(instance.Content);
        }
        return builder.Finish();
    }

    /// <summary>The content of a study: of its series in their order.</summary>
    internal static Digest256 ContentOf(IReadOnlyList<SeriesEntry> series)
    {
        var builder = new DigestBuilder(stackalloc byte[1024], "study1"u8);
        foreach (var entry in series)
        {
            builder.Add(entry.SeriesUid);
            builder.Add(entry.Content);
        }
        return builder.Finish();
    }

    private static OriginVersion? Version(CatalogStatement select)
    {
        if (!select.Step()) return null;
        var version = new OriginVersion(select.Text(0));
        select.Reset();
        return version;
    }

    private static SeriesRef? One(CatalogStatement select)
    {
        if (!select.Step()) return null;
        var series = new SeriesRef(select.Text(0), select.Text(1));
        select.Reset();
        return series;
    }

    /// <summary>The instances of a series share most of their strings: one copy of each is kept.</summary>
    private sealed class SharedStrings
    {
        private readonly HashSet<string> _known = new(StringComparer.Ordinal);
        private double[]? _orientation;

        public string Get(string value)
        {
            if (_known.TryGetValue(value, out var known)) return known;
            _known.Add(value);
            return value;
        }

        public double[]? Get(double[]? orientation)
        {
            if (orientation is null) return null;
            if (_orientation is { } last && last.AsSpan().SequenceEqual(orientation)) return last;
            return _orientation = orientation;
        }
    }
}
