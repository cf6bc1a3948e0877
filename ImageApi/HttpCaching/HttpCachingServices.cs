using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.HttpCaching;

internal static class HttpCachingServices
{
    public static IServiceCollection AddHttpCaching(this IServiceCollection services)
    {
        services.AddOptions<HttpCachingOptions>().BindConfiguration(HttpCachingOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HttpCachingOptions>, HttpCachingOptionsValidator>());
        services.TryAddSingleton<EntityResponse>();
        services.TryAddSingleton<DocumentCache>();
        return services;
    }
}
