using ImageApi.Origins.Outbound;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Origins;

internal static class OriginsExtensions
{
    /// <summary>Registers the configured origins and the store. Needs <c>AddStore</c>, <c>AddSettings</c> and an <c>ITieredCache</c>.</summary>
    public static IServiceCollection AddOrigins(this IServiceCollection services)
    {
        services.AddOptions<OriginsOptions>()
            .Configure<IConfiguration>((options, configuration) => configuration.GetSection(OriginsOptions.SectionName).Bind(options.Origins))
            .PostConfigure<OriginSettings>(static (options, settings) => settings.Overlay(options))
            .ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OriginsOptions>, OriginsOptionsValidator>());
        services.TryAddSingleton<OriginSettings>();
        services.TryAddSingleton<OriginAdministration>();
        services.TryAddSingleton<OriginMetrics>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<OriginHealthBoard>();
        services.TryAddSingleton<OriginHttp>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IOriginKind, FolderOriginKind>());
        services.TryAddSingleton<OriginSet>();
        services.TryAddSingleton<IOrigins>(provider => provider.GetRequiredService<OriginSet>());
        return services;
    }
}
