using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace InferenceApi.Images;

/// <summary>What pictures are taken. Section <c>InferenceApi:Images</c>.</summary>
internal sealed class ImagesOptions
{
    public const string SectionName = "InferenceApi:Images";

    /// <summary>Bytes of a file that is sent; more are 413. Default 50 MB.</summary>
    [Range(1, 1L << 31)]
    public long MaxFileBytes { get; set; } = 50 << 20;

    /// <summary>Pixels of a picture; more are refused before it is decoded. Default 40 million.</summary>
    [Range(1, 1L << 28)]
    public long MaxPixels { get; set; } = 40_000_000;

    /// <summary>How long ImageApi may take for one answer. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class ImagesOptionsValidator : IValidateOptions<ImagesOptions>;

internal static class ImagesServices
{
    public static IServiceCollection AddImages(this IServiceCollection services)
    {
        services.AddOptions<ImagesOptions>().BindConfiguration(ImagesOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImagesOptions>, ImagesOptionsValidator>());
        services.AddHttpClient(nameof(ImageApiClient), static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            http.Timeout = provider.GetRequiredService<IOptions<ImagesOptions>>().Value.Timeout;
        });
        services.TryAddSingleton<PictureRequests>();
        services.TryAddSingleton<ImageApiClient>();   // one for all: it remembers what frames are
        return services;
    }
}
