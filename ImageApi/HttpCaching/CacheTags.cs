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

    public static CacheTag Study(string studyInstanceUid) => CacheTag.Of("study", studyInstanceUid);

    public static CacheTag Series(string seriesInstanceUid) => CacheTag.Of("series", seriesInstanceUid);

    public static CacheTag Instance(string sopInstanceUid) => CacheTag.Of("instance", sopInstanceUid);

    public static CacheTag Origin(string name) => CacheTag.Of("origin", name);

    /// <summary>The tags of what is made from one instance.</summary>
    public static ImmutableArray<CacheTag> Of(InstanceEntry instance) => [Origin(instance.OriginName), Study(instance.StudyUid), Series(instance.SeriesUid), Instance(instance.SopUid)];

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
        return [.. studies.Select(Study).Concat(origins.Select(Origin)).Concat(series.Select(Series)).Take(MaxTags)];
    }
}
