using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Search;

internal static class SearchServices
{
    public static IServiceCollection AddSearch(this IServiceCollection services)
    {
        services.AddOptions<SearchOptions>().BindConfiguration(SearchOptions.SectionName).ValidateOnStart();
        services.TryAddSingleton<IValidateOptions<SearchOptions>, SearchOptionsValidator>();
        services.TryAddSingleton<SearchResponse>();
        return services;
    }
}
