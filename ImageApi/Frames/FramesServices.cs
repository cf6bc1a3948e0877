using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageApi.Frames;

internal static class FramesServices
{
    public static IServiceCollection AddFrames(this IServiceCollection services)
    {
        services.TryAddSingleton<FrameService>();
        services.TryAddSingleton<FrameResponse>();
        return services;
    }
}
