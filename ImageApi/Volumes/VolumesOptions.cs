using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Volumes;

internal sealed class VolumesOptions
{
    public const string SectionName = "ImageApi:Volumes";

    /// <summary>Volumes of one origin that are listed at most, 1 to 1,000,000; default 10,000. A list that was cut says so.</summary>
    [Range(1, 1_000_000)]
    public int MaxListed { get; set; } = 10_000;

    /// <summary>The time that an origin gets to list its files, default 5 s. Then the list goes out without it and says so.</summary>
    public TimeSpan ListTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an origin's list of files is believed, default 10 s.</summary>
    public TimeSpan ListTtl { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Volumes that are read for their range of values at once, 1 to 64; default 2. Further ones wait.</summary>
    [Range(1, 64)]
    public int MaxConcurrentReads { get; set; } = 2;

    /// <summary>The time that reading one volume may take, default 5 min; then 504.</summary>
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromMinutes(5);
}

[OptionsValidator]
internal sealed partial class VolumesOptionsValidator : IValidateOptions<VolumesOptions>;
