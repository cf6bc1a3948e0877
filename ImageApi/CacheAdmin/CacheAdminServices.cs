using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

internal static class CacheAdminServices
{
    /// <summary>Registers what administers the cache. Needs <c>AddTieredCache</c>, <c>AddSettings</c> and <c>AddOrigins</c>.</summary>
    public static IServiceCollection AddCacheAdmin(this IServiceCollection services)
    {
        services.TryAddSingleton<CacheSettings>();
        services.AddSingleton<IPostConfigureOptions<TieredCacheOptions>>(static provider => new PostConfigureOptions<TieredCacheOptions>(null, provider.GetRequiredService<CacheSettings>().Overlay));
        services.TryAddSingleton<CacheHistory>();
        services.AddHostedService(static provider => provider.GetRequiredService<CacheHistory>());
        services.TryAddSingleton<CacheFigures>();
        services.TryAddSingleton<CacheScrubber>();
        services.AddOptions<CacheScrubOptions>().BindConfiguration(CacheScrubOptions.SectionName)
            .Validate(static options => options.Interval <= TimeSpan.FromDays(49), "An interval has at most 49 days.").ValidateOnStart();
        services.AddHostedService<CacheScrubSchedule>();
        return services;
    }
}
