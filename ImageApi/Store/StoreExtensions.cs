using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Store;

internal static class StoreExtensions
{
    /// <summary>Registers the store's folder and what stores into it. Needs <c>AddOrigins</c> and <c>AddCatalog</c>.</summary>
    public static IServiceCollection AddStore(this IServiceCollection services)
    {
        services.AddOptions<StoreOptions>().BindConfiguration(StoreOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StoreOptions>, StoreOptionsValidator>());
        services.TryAddSingleton<StoreFolder>();
        services.TryAddSingleton<StoreMetrics>();
        services.TryAddSingleton<StoreCommitter>();
        services.TryAddSingleton<StoreService>();
        return services;
    }
}
