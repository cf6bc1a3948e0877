using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Prefetch;

/// <summary>How much is fetched before it is asked for, of origins behind a network.</summary>
internal sealed class PrefetchOptions
{
    public const string SectionName = "ImageApi:Prefetch";

    /// <summary>Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Frames that are wanted in the direction of scrolling before those on both sides. Default 16, as the viewer does.</summary>
    [Range(0, 1000)]
    public int Ahead { get; set; } = 16;

    /// <summary>Bytes that may be on their way at once, over all origins. At the limit nothing more is begun. Default 32 MB.</summary>
    [Range(1L << 16, 1L << 40)]
    public long MaxBytesInFlight { get; set; } = 32 << 20;

    /// <summary>The part of an origin's <c>MaxConcurrency</c> that may be used; people have the rest to themselves, and all of it while they need it. Default 0.5.</summary>
    [Range(0.01, 1.0)]
    public double OriginShare { get; set; } = 0.5;

    /// <summary>The part of the memory tier that frames may take which nobody has asked for yet. Default 0.25.</summary>
    [Range(0.0, 1.0)]
    public double MemoryShare { get; set; } = 0.25;

    /// <summary>The part of the disk tier that may be used so beside it. Default 0.05.</summary>
    [Range(0.0, 1.0)]
    public double DiskShare { get; set; } = 0.05;

    /// <summary>A series that nobody asked anything of for so long is not fetched on. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "01:00:00")]
    public TimeSpan IdleTime { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>A client that opened another series and did not ask for this one for so long has left it; several side by side are all fetched. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan SwitchTime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>What nobody asked for within this time was fetched in vain. Default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "1.00:00:00")]
    public TimeSpan WasteTime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an origin that failed is left alone by prefetching. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan PauseAfterFailure { get; set; } = TimeSpan.FromSeconds(5);
}

[OptionsValidator]
internal sealed partial class PrefetchOptionsValidator : IValidateOptions<PrefetchOptions>;
