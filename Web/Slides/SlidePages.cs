using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Web.Dicomweb;

namespace Web.Slides;

/// <summary>Whole slides and large images, with deep zoom.</summary>
internal static class SlidePages
{
    public static IServiceCollection AddSlides(this IServiceCollection services)
    {
        services.AddHttpClient<SlidesClient>(static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            http.Timeout = provider.GetRequiredService<IOptions<ImageApiOptions>>().Value.ImageApiTimeout;
            http.MaxResponseContentBufferSize = 4 << 20;
        });
        return services;
    }

    public static IEndpointRouteBuilder MapSlidePages(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/slides", [HttpMethods.Get, HttpMethods.Head], GetPageAsync).ExcludeFromDescription();
        return app;
    }

    private static async Task<RazorComponentResult> GetPageAsync(string? study, string? series, SlidesClient client, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        var listing = await SlideListing.ReadAsync(client, study, series, cancellationToken);
        var config = new SlideConfig(imageApi.Value.PublicOrigin, listing.Chosen?.Study, listing.Chosen?.Series);
        return new RazorComponentResult<SlidesPage>(new { Listing = listing, Config = config })
        {
            StatusCode = listing.IsUnavailable ? StatusCodes.Status503ServiceUnavailable : listing.IsChosenAbsent ? StatusCodes.Status404NotFound : StatusCodes.Status200OK,
        };
    }
}
