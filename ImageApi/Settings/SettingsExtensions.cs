using ImageApi.Origins;
using ImageApi.Store;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Settings;

internal static class SettingsExtensions
{
    private const string FolderInStore = ".settings";

    /// <summary>Registers where settings are kept and who may change them.</summary>
    public static IServiceCollection AddSettings(this IServiceCollection services)
    {
        services.AddOptions<SettingsOptions>().BindConfiguration(SettingsOptions.SectionName)
            .PostConfigure<IOptions<StoreOptions>>(static (settings, store) => settings.Path = HomePath.Expand(settings.Path ?? Path.Combine(store.Value.Path, FolderInStore)));
        services.AddOptions<AdministrationOptions>().BindConfiguration(AdministrationOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AdministrationOptions>, AdministrationOptionsValidator>());
        return services;
    }

    /// <summary>Only those who may administer reach the endpoints of the group.</summary>
    public static TBuilder RequireAdministrator<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder
    {
        endpoints.AddEndpointFilter<TBuilder, AdministrationGuard>();
        return endpoints;
    }
}
