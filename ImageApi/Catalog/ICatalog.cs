using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>
/// The index of studies, series and instances. It is made from the origins, which stay the truth: a damaged index is set aside and made again.
/// Look-ups by UID are answered from memory when the series was looked up before; they then complete synchronously and allocate nothing.
/// Answers are snapshots: immutable, shared between callers, never modified.
/// </summary>
internal interface ICatalog
{
    CatalogStatus Status { get; }

    /// <summary>
    /// Grows by at least one with every commit that changed anything: a cheap validator for listings. 0 where searches also find what lies elsewhere, so that
    /// no number tells of a change.
    /// </summary>
    long Generation { get; }

    /// <summary>The instance, or null when the catalog has none by these three UIDs together.</summary>
    ValueTask<InstanceEntry?> FindInstanceAsync(InstanceRef instance, CancellationToken cancellationToken);

    /// <summary>The instance by its SOP Instance UID alone, or null.</summary>
    ValueTask<InstanceEntry?> FindInstanceAsync(string sopUid, CancellationToken cancellationToken);

    /// <summary>The series with its instances in display order, or null.</summary>
    ValueTask<SeriesEntry?> FindSeriesAsync(SeriesRef series, CancellationToken cancellationToken);

    /// <summary>The series by its UID alone, or null. Should two studies claim the UID, the one whose Study Instance UID sorts first is meant.</summary>
    ValueTask<SeriesEntry?> FindSeriesAsync(string seriesUid, CancellationToken cancellationToken);

    /// <summary>The study with its series, ordered by series number, then UID; or null.</summary>
    ValueTask<StudyEntry?> FindStudyAsync(string studyUid, CancellationToken cancellationToken);

    /// <summary>
    /// The Study Instance UID of the study whose files lie in a folder of this name (the last part of the folder's path, in any origin), or null
    /// when there is none or when the folder holds several studies.
    /// </summary>
    /// <param name="folderName">The folder's name.</param>
    /// <param name="rootsSoNamed">Origins whose own folder is named so: files that lie directly in it count too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<string?> FindStudyByFolderAsync(string folderName, IReadOnlyCollection<string> rootsSoNamed, CancellationToken cancellationToken);

    /// <summary>A search at one level: a page of rows and how many there are in all, read from one snapshot.</summary>
    /// <exception cref="ArgumentException">The query cannot be run: an attribute path or value that is none (the query's constructor says which).</exception>
    Task<CatalogPage> QueryAsync(CatalogQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Tells the catalog that an origin no longer has an instance as the catalog says. Returns when the catalog has looked
    /// at the item again and agrees with it: the instance is gone, is served from another of its locations, or has its new version.
    /// </summary>
    ValueTask HealAsync(InstanceEntry instance, CancellationToken cancellationToken);
}

/// <summary>How far the catalog agrees with its origins.</summary>
/// <param name="IsReconciled">Every origin has been compared with the catalog once since the start.</param>
/// <param name="InstanceCount">Instances in the catalog.</param>
/// <param name="Unparsed">Files of the origins that are no instance: no DICOM, broken, without UIDs.</param>
/// <param name="Conflicts">Files that claim the SOP Instance UID of another file with different bytes; the first one is served.</param>
internal readonly record struct CatalogStatus(bool IsReconciled, long InstanceCount, long Unparsed, long Conflicts);
