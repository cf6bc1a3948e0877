using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>The part of the catalog that one origin serves. An instance that lies in several belongs to the first of them.</summary>
internal sealed class OneOriginCatalog(ICatalog catalog, string originName) : ICatalog
{
    public CatalogStatus Status => catalog.Status;
    public long Generation => catalog.Generation;

    public async ValueTask<InstanceEntry?> FindInstanceAsync(InstanceRef instance, CancellationToken cancellationToken) =>
        Mine(await catalog.FindInstanceAsync(instance, cancellationToken));

    public async ValueTask<InstanceEntry?> FindInstanceAsync(string sopUid, CancellationToken cancellationToken) =>
        Mine(await catalog.FindInstanceAsync(sopUid, cancellationToken));

    public async ValueTask<SeriesEntry?> FindSeriesAsync(SeriesRef series, CancellationToken cancellationToken) =>
        Mine(await catalog.FindSeriesAsync(series, cancellationToken));

    public async ValueTask<SeriesEntry?> FindSeriesAsync(string seriesUid, CancellationToken cancellationToken) =>
        Mine(await catalog.FindSeriesAsync(seriesUid, cancellationToken));

    public async ValueTask<StudyEntry?> FindStudyAsync(string studyUid, CancellationToken cancellationToken)
    {
        if (await catalog.FindStudyAsync(studyUid, cancellationToken) is not { } study) return null;
        SeriesEntry[] series = [.. study.Series.Select(Mine).OfType<SeriesEntry>()];
        return series.Length == 0 ? null : new StudyEntry(studyUid, SqliteCatalog.ContentOf(series), series);
    }

    public ValueTask<string?> FindStudyByFolderAsync(string folderName, IReadOnlyCollection<string> rootsSoNamed, CancellationToken cancellationToken) =>
        catalog.FindStudyByFolderAsync(folderName, rootsSoNamed, cancellationToken);

    public Task<CatalogPage> QueryAsync(CatalogQuery query, CancellationToken cancellationToken) => catalog.QueryAsync(query with { OriginName = originName }, cancellationToken);

    public ValueTask HealAsync(InstanceEntry instance, CancellationToken cancellationToken) => catalog.HealAsync(instance, cancellationToken);

    private InstanceEntry? Mine(InstanceEntry? instance) => instance?.OriginName == originName ? instance : null;

    private SeriesEntry? Mine(SeriesEntry? series)
    {
        if (series is null || series.Instances.All(instance => instance.OriginName == originName)) return series;
        InstanceEntry[] instances = [.. series.Instances.Where(instance => instance.OriginName == originName)];
        if (instances.Length == 0) return null;
        var content = SqliteCatalog.ContentOf(instances);
        var geometry = SeriesOrder.Sort(instances);
        return new SeriesEntry(series.StudyUid, series.SeriesUid, series.Modality, series.Number, series.Description, content, instances, geometry);
    }
}
