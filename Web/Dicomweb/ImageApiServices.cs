using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Web.Dicomweb;

internal static class ImageApiServices
{
    private const long MaxAnswerBytes = 16 * 1024 * 1024;

    /// <summary>Adds <see cref="StudiesClient"/> and the public address of ImageApi.</summary>
    public static IServiceCollection AddImageApi(this IServiceCollection services)
    {
        services.TryAddSingleton<IValidateOptions<ImageApiOptions>, ImageApiOptionsValidator>();
        services.AddOptions<ImageApiOptions>()
            .BindConfiguration(ImageApiOptions.SectionName)
            .PostConfigure<IConfiguration>(static (options, configuration) =>
                options.PublicImageApi ??= new Uri(configuration["services:image-api:http:0"] ?? "http://localhost:5101"))
            .ValidateOnStart();

        services.AddHttpClient<StudiesClient>(static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            http.Timeout = provider.GetRequiredService<IOptions<ImageApiOptions>>().Value.ImageApiTimeout;
            http.MaxResponseContentBufferSize = MaxAnswerBytes;
            http.DefaultRequestHeaders.Accept.ParseAdd("application/dicom+json");
        });
        return services;
    }
}
