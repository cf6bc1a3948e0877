using ImageApi.Origins;
using ImageApi.Store;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Catalog;

internal static class CatalogExtensions
{
    /// <summary>Registers the catalog and the service that keeps it in agreement with the origins. Needs <c>AddOrigins</c>.</summary>
    public static IServiceCollection AddCatalog(this IServiceCollection services)
    {
        services.AddOptions<CatalogOptions>().BindConfiguration(CatalogOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CatalogOptions>, CatalogOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CatalogMetrics>();
        services.TryAddSingleton(Open);
        services.TryAddSingleton<MergedCatalog>();
        services.TryAddSingleton<ICatalog>(provider => provider.GetRequiredService<MergedCatalog>());
        services.TryAddSingleton<CatalogIndexer>();
        services.TryAddSingleton<CatalogVerifier>();
        services.AddHostedService(provider => provider.GetRequiredService<CatalogIndexer>());
        return services;
    }

    private static SqliteCatalog Open(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<CatalogOptions>>().Value;
        var origins = provider.GetRequiredService<OriginSet>();
        var logger = provider.GetRequiredService<ILogger<SqliteCatalog>>();
        var path = options.Path is { Length: > 0 } configured ? HomePath.Expand(configured) : Path.Combine(origins.Store.Path, StoreLayout.CatalogFolder, "catalog.db");
        var database = CatalogDatabase.Open(path);
        if (database.WasRebuilt) logger.CatalogSetAside();
        return new SqliteCatalog(database, origins.RankOf, options, logger);
    }
}
