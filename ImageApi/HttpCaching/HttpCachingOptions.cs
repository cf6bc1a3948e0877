namespace ImageApi.HttpCaching;

/// <summary>What clients and the caches between may keep.</summary>
internal sealed class HttpCachingOptions
{
    public const string SectionName = "ImageApi:HttpCaching";

    /// <summary>
    /// True forbids every client to keep any answer (<c>Cache-Control: no-store</c>): for workstations whose disks must hold no
    /// images. Default false.
    /// </summary>
    public bool NoStore { get; set; }
}
