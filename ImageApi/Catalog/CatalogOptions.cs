using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Catalog;

/// <summary>Where the index lies and how it follows its origins.</summary>
internal sealed class CatalogOptions
{
    public const string SectionName = "ImageApi:Catalog";

    /// <summary>The database file. Default null: <c>.catalog/catalog.db</c> in the store. It can be deleted while the service is down: it is made again from the files.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// Instances that are kept in memory for look-ups by UID, about 600 bytes each. Default 40,000. When full, the series used least lately are forgotten and
    /// read again when asked for (a few ms for a thousand instances).
    /// </summary>
    [Range(1_000, 10_000_000)]
    public int MaxCachedInstances { get; set; } = 40_000;

    /// <summary>How often the folders are compared with the catalog, because watchers drop events. Default 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ReconcileInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a file has to be quiet before it is read, so that a copy under way is not taken for a broken file. Default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Files that are read at once while indexing. Default: one per processor, 8 at most.</summary>
    [Range(1, 64)]
    public int Readers { get; set; } = Math.Min(8, Environment.ProcessorCount);
}

[OptionsValidator]
internal sealed partial class CatalogOptionsValidator : IValidateOptions<CatalogOptions>;
