using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

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

    /// <summary>
    /// How long a content delivery network may keep an answer to a versioned URL that anybody may have (<c>CDN-Cache-Control</c>, RFC 9213). Zero: it is told
    /// nothing of its own. Default 365 days.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan CdnMaxAge { get; set; } = TimeSpan.FromDays(365);
}

[OptionsValidator]
internal sealed partial class HttpCachingOptionsValidator : IValidateOptions<HttpCachingOptions>;
