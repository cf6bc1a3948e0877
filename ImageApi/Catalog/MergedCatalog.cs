using System.Globalization;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using ImageApi.Search;
using Microsoft.Extensions.Options;
using Platform.Dicom;
using Platform.Dicom.Json;

namespace ImageApi.Catalog;

/// <summary>
/// The catalog and the PACS behind it as one. What the catalog has is served from there; what it has not is asked of the DICOMweb origins, in their order.
/// Without such origins it is the catalog, at no cost.
/// </summary>
internal sealed class MergedCatalog : ICatalog
{
    /// <summary>Rows of one origin that a search merges. What an origin has beyond cannot be ordered among the others, and the answer says so.</summary>
    public const int MaxMergedRows = 1000;

    private const int MaxSeriesOfStudy = 1000;
    private const int SeriesAtOnce = 4;

    private static readonly DicomJsonOptions RowAttributes = new() { Filter = static tag => tag != InstanceAvailability && tag != RetrieveUrl && !tag.IsPrivate };
    private static readonly DicomTag InstanceAvailability = new(0x0008, 0x0056);
    private static readonly DicomTag RetrieveUrl = new(0x0008, 0x1190);

    private readonly ICatalog? _local;
    private readonly OriginSet? _origins;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private volatile Peers _peers;

    public MergedCatalog(SqliteCatalog local, OriginSet origins, IOptions<SearchOptions> options, TimeProvider time, ILogger<MergedCatalog> logger)
        : this(local, new Peers(null, []), options.Value.OriginTimeout, time, logger) => _origins = origins;

    private MergedCatalog(ICatalog? local, Peers peers, TimeSpan patience, TimeProvider time, ILogger logger) =>
        (_local, _peers, _patience, _time, _logger) = (local, peers, patience, time, logger);

    public CatalogStatus Status => _local?.Status ?? default;

    public long Generation => Remotes.Length == 0 ? _local!.Generation : 0;

    /// <summary>What one origin has, and nothing else.</summary>
    public ICatalog Only(IDicomOrigin origin) => origin is DicomwebOrigin server
        ? new MergedCatalog(null, new Peers(null, [server]), _patience, _time, _logger)
        : new OneOriginCatalog(_local!, origin.Name);

    public ValueTask<InstanceEntry?> FindInstanceAsync(InstanceRef instance, CancellationToken cancellationToken)
    {
        if (Remotes.Length == 0) return _local!.FindInstanceAsync(instance, cancellationToken);
        foreach (var origin in Remotes)
        {
            if (!origin.Series.TryGetFresh(instance.SeriesUid, out var series) || series.Key.StudyUid != instance.StudyUid || !IsNotLocal(series)) continue;
            return new ValueTask<InstanceEntry?>(series.Entry.TryGetInstance(instance.SopUid, out var entry) ? entry : null);
        }
        return FindInstanceSlowlyAsync(instance, cancellationToken);
    }

    public async ValueTask<InstanceEntry?> FindInstanceAsync(string sopUid, CancellationToken cancellationToken)
    {
        if (_local is not null && await _local.FindInstanceAsync(sopUid, cancellationToken) is { } local) return local;
        foreach (var origin in Remotes)
        {
            var rows = await origin.Searches.FindAsync($"instances?SOPInstanceUID={sopUid}&limit=2", CatalogLevel.Instance, cancellationToken);
            if (rows.FirstOrDefault(row => row.SopUid == sopUid) is { } row) return await FindInstanceAsync(new InstanceRef(row.StudyUid, row.SeriesUid, sopUid), cancellationToken);
        }
        return null;
    }

    public ValueTask<SeriesEntry?> FindSeriesAsync(SeriesRef series, CancellationToken cancellationToken) =>
        Remotes.Length == 0 ? _local!.FindSeriesAsync(series, cancellationToken) : FindSeriesSlowlyAsync(series, cancellationToken);

    public async ValueTask<SeriesEntry?> FindSeriesAsync(string seriesUid, CancellationToken cancellationToken)
    {
        if (_local is not null && await _local.FindSeriesAsync(seriesUid, cancellationToken) is { } local) return local;
        return (await FindRemoteAsync(null, seriesUid, cancellationToken))?.Entry;
    }

    public async ValueTask<StudyEntry?> FindStudyAsync(string studyUid, CancellationToken cancellationToken)
    {
        var local = _local is null ? null : await _local.FindStudyAsync(studyUid, cancellationToken);
        if (Remotes.Length == 0) return local;

        var remotes = Remotes;
        var series = new Dictionary<string, SeriesEntry>(StringComparer.Ordinal);
        foreach (var each in local?.Series ?? []) series[each.SeriesUid] = each;
        var answers = await Task.WhenAll(remotes.Select(origin => TryAsync(origin,
            token => origin.Searches.FindAsync($"studies/{studyUid}/series?limit={MaxSeriesOfStudy}", CatalogLevel.Series, token), local is null ? null : _patience, cancellationToken)));
        foreach (var (origin, answer) in remotes.Zip(answers))
        {
            if (answer.Failure is { } failure)
            {
                if (local is null && !answers.Any(other => other.Value is { Count: > 0 })) throw failure;
                continue;
            }
            var missing = answer.Value!.Where(row => row.StudyUid == studyUid && !series.ContainsKey(row.SeriesUid)).Select(row => row.SeriesUid).Distinct().ToArray();
            await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = SeriesAtOnce, CancellationToken = cancellationToken }, async (uid, token) =>
            {
                if (await origin.FindSeriesAsync(studyUid, uid, token) is not { } found) return;
                lock (series) series.TryAdd(uid, found.Entry);
            });
        }
        if (series.Count == 0) return null;
        SeriesEntry[] ordered = [.. series.Values.OrderBy(each => each.Number ?? int.MaxValue).ThenBy(each => each.SeriesUid, StringComparer.Ordinal)];
        return new StudyEntry(studyUid, SqliteCatalog.ContentOf(ordered), ordered);
    }

    public ValueTask<string?> FindStudyByFolderAsync(string folderName, IReadOnlyCollection<string> rootsSoNamed, CancellationToken cancellationToken) =>
        _local?.FindStudyByFolderAsync(folderName, rootsSoNamed, cancellationToken) ?? default;

    /// <summary>
    /// Every origin is asked for its first rows at the same time; rows are put in the catalog's order and those of a UID that an earlier origin has are left out. So a page
    /// is exact, and so is the total, as long as no origin finds more than <see cref="MaxMergedRows"/>.
    /// </summary>
    public async Task<CatalogPage> QueryAsync(CatalogQuery query, CancellationToken cancellationToken)
    {
        if (Remotes.Length == 0) return await _local!.QueryAsync(query, cancellationToken);
        var remotes = Remotes;
        var asked = remotes.Select(origin => TryAsync(origin, token => origin.Searches.FindAsync(query, MaxMergedRows, token), _patience, cancellationToken)).ToArray();
        var local = _local is null ? new CatalogPage([], 0) : await _local.QueryAsync(query with { Offset = 0, Limit = (int)Math.Min((long)query.Offset + query.Limit, 100_000) }, cancellationToken);
        var answers = await Task.WhenAll(asked);

        var order = new RowOrder(query);
        var rows = new List<RowOrder.Row>();
        var shortfalls = new List<string>();
        var seen = new HashSet<(string, string, string)>();
        foreach (var (origin, answer) in remotes.Zip(answers))
        {
            if (answer.Value is not { } found)
            {
                shortfalls.Add($"Origin {origin.Name} {(answer.Failure!.Failure == OriginFailure.Timeout ? "did not answer in time" : "could not be asked")}: its results are missing");
                _logger.SearchWithout(origin.Name, answer.Failure.Failure.ToString());
                continue;
            }
            if (!found.IsAll) shortfalls.Add(string.Create(CultureInfo.InvariantCulture, $"Origin {origin.Name} has more results than the {MaxMergedRows} that are merged: narrow the search"));
            var known = await FindKnownAsync(query, found.Rows, cancellationToken);
            rows.AddRange(found.Rows.Where(row => !known.Contains(UidOf(query.Level, row.StudyUid, row.SeriesUid, row.SopUid)) && seen.Add((row.StudyUid, row.SeriesUid, row.SopUid))).Select(row => order.Of(Row(row), row.Dataset)));
        }

        var total = local.Total + rows.Count;
        rows.AddRange(local.Rows.Select(order.Of));
        rows.Sort(order);
        return new CatalogPage([.. rows.Skip(query.Offset).Take(query.Limit).Select(row => row.Value)], total) { IsMerged = true, Shortfalls = shortfalls };
    }

    public ValueTask HealAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        if (Remotes.FirstOrDefault(origin => origin.Name == instance.OriginName) is { } remote)
            return remote.Series.AskAgainAsync(new SeriesRef(instance.StudyUid, instance.SeriesUid), cancellationToken);
        return _local?.HealAsync(instance, cancellationToken) ?? default;
    }

    private DicomwebOrigin[] Remotes
    {
        get
        {
            var peers = _peers;
            if (_origins is null || ReferenceEquals(peers.Of, _origins.Dicom)) return peers.All;
            var now = _origins.Dicom;
            _peers = peers = new Peers(now, [.. now.OfType<DicomwebOrigin>()]);
            return peers.All;
        }
    }

    private async ValueTask<InstanceEntry?> FindInstanceSlowlyAsync(InstanceRef instance, CancellationToken cancellationToken)
    {
        if (_local is not null && await _local.FindInstanceAsync(instance, cancellationToken) is { } local) return local;
        var series = await FindRemoteAsync(instance.StudyUid, instance.SeriesUid, cancellationToken);
        return series is not null && series.Entry.TryGetInstance(instance.SopUid, out var entry) ? entry : null;
    }

    private async ValueTask<SeriesEntry?> FindSeriesSlowlyAsync(SeriesRef key, CancellationToken cancellationToken)
    {
        foreach (var origin in Remotes)
        {
            if (origin.Series.TryGetFresh(key.SeriesUid, out var series) && series.Key == key && IsNotLocal(series)) return series.Entry;
        }
        if (_local is not null && await _local.FindSeriesAsync(key, cancellationToken) is { } local) return local;
        return (await FindRemoteAsync(key.StudyUid, key.SeriesUid, cancellationToken))?.Entry;
    }

    /// <summary>The first origin's that has the series. A slow one is not waited for longer than a search is, where another has it.</summary>
    private async ValueTask<RemoteSeries?> FindRemoteAsync(string? studyUid, string seriesUid, CancellationToken cancellationToken)
    {
        var asked = Remotes.Select(origin => TryAsync(origin, async token => new Found(await origin.FindSeriesAsync(studyUid, seriesUid, token)), null, cancellationToken)).ToArray();
        if (asked.Length > 1) await Task.WhenAny(Task.WhenAll(asked), Task.Delay(_patience, _time, cancellationToken));
        RemoteSeries? series = null;
        foreach (var task in asked.Where(task => task.IsCompletedSuccessfully).Concat(asked))
        {
            if ((await task).Value?.Series is not { } found) continue;
            series = found;
            break;
        }
        if (series is null)
        {
            foreach (var task in asked)
            {
                if ((await task).Failure is { } failure) throw failure;   // "there is none" cannot be said while one was not asked
            }
            return null;
        }
        if (_local is not null)
        {
            var generation = _local.Generation;
            if (await _local.FindSeriesAsync(series.Key, cancellationToken) is null) series.NotLocalAt = generation;
        }
        return series;
    }

    /// <summary>Whether the catalog is known to lack the series: it did, and nothing was committed since.</summary>
    private bool IsNotLocal(RemoteSeries series) => _local is null || series.NotLocalAt == _local.Generation;

    private async Task<HashSet<string>> FindKnownAsync(CatalogQuery query, IReadOnlyList<RemoteRow> rows, CancellationToken cancellationToken)
    {
        if (_local is null || rows.Count == 0) return [];
        var attribute = query.Level switch { CatalogLevel.Study => "0020000D", CatalogLevel.Series => "0020000E", _ => "00080018" };
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var chunk in rows.Select(row => UidOf(query.Level, row.StudyUid, row.SeriesUid, row.SopUid)).Distinct().Chunk(500))
        {
            var page = await _local.QueryAsync(new CatalogQuery(query.Level) { Conditions = [new CatalogCondition(attribute, CatalogMatch.AnyOf, chunk)], Limit = chunk.Length }, cancellationToken);
            known.UnionWith(page.Rows.Select(row => UidOf(query.Level, row.StudyUid, row.SeriesUid, row.SopUid)));
        }
        return known;
    }

    private sealed record Found(RemoteSeries? Series);

    /// <summary>The DICOMweb origins of one state of the set of origins, which changes as a whole.</summary>
    private sealed record Peers(IReadOnlyList<IDicomOrigin>? Of, DicomwebOrigin[] All);

    private static string UidOf(CatalogLevel level, string study, string series, string sop) => level switch { CatalogLevel.Study => study, CatalogLevel.Series => series, _ => sop };

    private static CatalogRow Row(RemoteRow row) =>
        new() { StudyUid = row.StudyUid, SeriesUid = row.SeriesUid, SopUid = row.SopUid, StudyJson = DicomJsonWriter.ToUtf8(row.Dataset, RowAttributes) };

    /// <summary>What came, or why nothing did; within the time given.</summary>
    private async Task<(T? Value, OriginException? Failure)> TryAsync<T>(DicomwebOrigin origin, Func<CancellationToken, Task<T>> ask, TimeSpan? limit, CancellationToken cancellationToken) where T : class
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = limit is { } span ? _time.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patience, span, Timeout.InfiniteTimeSpan) : null;
        try
        {
            return (await ask(patience.Token), null);
        }
        catch (OriginException exception)
        {
            return (null, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, new OriginException(OriginFailure.Timeout, $"Origin {origin.Name} did not answer in time.", exception));
        }
    }
}
