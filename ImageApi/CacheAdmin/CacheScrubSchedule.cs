using Microsoft.Extensions.Options;

namespace ImageApi.CacheAdmin;

/// <summary>When the tiers are scrubbed by themselves. Section <c>ImageApi:CacheScrub</c>.</summary>
internal sealed class CacheScrubOptions
{
    public const string SectionName = "ImageApi:CacheScrub";

    /// <summary>From one scrub to the next, the first so long after the start; zero for none. Default a day.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>Begins a scrub now and then, behind the answers, so that what nobody asks for is checked too.</summary>
internal sealed class CacheScrubSchedule(CacheScrubber scrubber, IOptions<CacheScrubOptions> options, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Interval <= TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) scrubber.Start();
    }
}
