using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Web.Dicomweb;

namespace Web.Volumes;

/// <summary>NIfTI volumes in three planes and 3D, and what the cache saves of their way.</summary>
internal static class VolumePages
{
    public static IServiceCollection AddVolumes(this IServiceCollection services)
    {
        services.AddHttpClient<VolumesClient>(static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            // Each origin gets five seconds to list what it has.
            http.Timeout = provider.GetRequiredService<IOptions<ImageApiOptions>>().Value.ImageApiTimeout + TimeSpan.FromSeconds(5);
            http.MaxResponseContentBufferSize = 16 << 20;
        });
        return services;
    }

    public static IEndpointRouteBuilder MapVolumePages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/volumes").ExcludeFromDescription();
        group.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapMethods("/compare", [HttpMethods.Get, HttpMethods.Head], GetComparisonAsync);
        return app;
    }

    private static async Task<RazorComponentResult> GetPageAsync(string? volume, VolumesClient client, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        var listing = await VolumeListing.ReadAsync(client, volume, cancellationToken);
        return new RazorComponentResult<VolumesPage>(new { Listing = listing, Config = ConfigOf(listing, imageApi) }) { StatusCode = StatusOf(listing) };
    }

    private static async Task<RazorComponentResult> GetComparisonAsync(string? volume, VolumesClient client, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        var listing = await VolumeListing.ReadAsync(client, volume, cancellationToken);
        return new RazorComponentResult<ComparePage>(new { Listing = listing, Config = ConfigOf(listing, imageApi) }) { StatusCode = StatusOf(listing) };
    }

    private static VolumeConfig ConfigOf(VolumeListing listing, IOptions<ImageApiOptions> imageApi) => new(imageApi.Value.PublicOrigin, listing.Chosen);

    private static int StatusOf(VolumeListing listing) =>
        listing.IsUnavailable ? StatusCodes.Status503ServiceUnavailable : listing.IsChosenAbsent ? StatusCodes.Status404NotFound : StatusCodes.Status200OK;
}
