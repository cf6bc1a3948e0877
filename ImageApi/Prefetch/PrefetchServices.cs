using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Prefetch;

internal static class PrefetchServices
{
    /// <summary>Fetches ahead, from origins behind a network, what viewers will ask for next. Needs <c>AddFrames</c>, <c>AddCatalog</c>, <c>AddOrigins</c>.</summary>
    public static IServiceCollection AddPrefetch(this IServiceCollection services)
    {
        services.AddOptions<PrefetchOptions>().BindConfiguration(PrefetchOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PrefetchOptions>, PrefetchOptionsValidator>());
        services.TryAddSingleton<PrefetchLedger>();
        services.TryAddSingleton<PrefetchService>();
        services.AddHostedService(static provider => provider.GetRequiredService<PrefetchService>());
        return services;
    }
}
