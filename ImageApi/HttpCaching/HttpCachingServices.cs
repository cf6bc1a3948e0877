using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageApi.HttpCaching;

internal static class HttpCachingServices
{
    public static IServiceCollection AddHttpCaching(this IServiceCollection services)
    {
        services.AddOptions<HttpCachingOptions>().BindConfiguration(HttpCachingOptions.SectionName);
        services.TryAddSingleton<EntityResponse>();
        services.TryAddSingleton<DocumentCache>();
        return services;
    }
}
