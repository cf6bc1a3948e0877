using System.Collections.Immutable;
using ImageApi.Catalog;
using Platform.TieredCache;

namespace ImageApi.HttpCaching;

/// <summary>
/// What values belong to, so that they can be forgotten together: their study, their series, the origins that they came from. Whoever makes a value
/// tags it with all that holds of it.
/// </summary>
internal static class CacheTags
{
    private const int MaxTags = 16;

    public static CacheTag OfStudy(string studyInstanceUid) => CacheTag.Of("study", studyInstanceUid);

    public static CacheTag OfSeries(string seriesInstanceUid) => CacheTag.Of("series", seriesInstanceUid);

    public static CacheTag OfOrigin(string name) => CacheTag.Of("origin", name);

    /// <summary>The tags of what is made from one instance.</summary>
    public static ImmutableArray<CacheTag> Of(InstanceEntry instance) => [OfStudy(instance.StudyUid), OfSeries(instance.SeriesUid), OfOrigin(instance.OriginName)];

    /// <summary>The tags of what is made from several instances. Their series are left out where they are too many to be named all.</summary>
    public static ImmutableArray<CacheTag> Of(IEnumerable<InstanceEntry> instances)
    {
        var (studies, origins, series) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var instance in instances)
        {
            studies.Add(instance.StudyUid);
            origins.Add(instance.OriginName);
            series.Add(instance.SeriesUid);
        }
        return [.. studies.Select(OfStudy).Concat(origins.Select(OfOrigin)).Concat(series.Select(OfSeries)).Take(MaxTags)];
    }
}
