using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Web.Dicomweb;

namespace Web.Pictures;

/// <summary>Plain pictures: a grid that is there at once, each picture large on demand, upload, replace, delete.</summary>
internal static class PicturePages
{
    public static IServiceCollection AddPictures(this IServiceCollection services)
    {
        services.AddHttpClient<PicturesClient>(static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            http.Timeout = provider.GetRequiredService<IOptions<ImageApiOptions>>().Value.ImageApiTimeout;
            http.MaxResponseContentBufferSize = 4 << 20;
        });
        return services;
    }

    public static IEndpointRouteBuilder MapPicturePages(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/pictures", [HttpMethods.Get, HttpMethods.Head], GetPageAsync).ExcludeFromDescription();
        return app;
    }

    private static async Task<RazorComponentResult> GetPageAsync(int? page, PicturesClient client, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        var listing = await PictureListing.ReadAsync(client, page ?? 0, imageApi.Value.PublicOrigin, cancellationToken);
        return new RazorComponentResult<PicturesPage>(new { Listing = listing }) { StatusCode = listing.IsUnavailable ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK };
    }
}
