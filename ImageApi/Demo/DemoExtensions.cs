namespace ImageApi.Demo;

internal static class DemoExtensions
{
    /// <summary>Registers the maker of the demo study. Needs <c>AddStore</c>.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services)
    {
        services.AddOptions<DemoOptions>().BindConfiguration(DemoOptions.SectionName);
        services.AddHostedService<DemoSeeder>();
        services.AddHostedService<DemoPictures>();
        return services;
    }
}
