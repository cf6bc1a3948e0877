using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageApi.Retrieve;

internal static class RetrieveServices
{
    public static IServiceCollection AddRetrieve(this IServiceCollection services)
    {
        services.TryAddSingleton<InstanceHeaders>();
        services.TryAddSingleton<InstanceResponse>();
        services.TryAddSingleton<MetadataService>();
        services.TryAddSingleton<MetadataResponse>();
        services.TryAddSingleton<BulkDataResponse>();
        return services;
    }
}
