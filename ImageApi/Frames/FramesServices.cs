using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ImageApi.Frames;

internal static class FramesServices
{
    public static IServiceCollection AddFrames(this IServiceCollection services)
    {
        services.AddOptions<FramesOptions>().BindConfiguration(FramesOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FramesOptions>, FramesOptionsValidator>());
        services.TryAddSingleton<FrameEncoders>(static _ => new FrameEncoders());
        services.TryAddSingleton<CodecSlots>();
        services.TryAddSingleton<FramesMetrics>();
        services.TryAddSingleton<FrameCodecs>();
        services.TryAddSingleton<DigestMemory>();
        services.TryAddSingleton<FrameActivity>();
        services.TryAddSingleton<FrameService>();
        services.TryAddSingleton<FrameResponse>();
        return services;
    }
}
