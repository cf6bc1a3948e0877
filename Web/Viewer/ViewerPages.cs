using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Web.Dicomweb;
using Web.Errors;

namespace Web.Viewer;

/// <summary>The viewer's page: a shell that the client's viewer fills, and what the list's prefetch asks before a click.</summary>
internal static partial class ViewerPages
{
    public static IEndpointRouteBuilder MapViewerPages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/view").ExcludeFromDescription();
        group.MapMethods("/{study}", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapGet("/{study}/config", GetConfigAsync);
        return app;
    }

    private static async Task<RazorComponentResult> GetPageAsync(
        string study, StudiesClient studies, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        if (!Uid.IsMatch(study)) return NoSuchStudy();
        try
        {
            return await studies.FindAsync(study, cancellationToken) is { } found
                ? new RazorComponentResult<ViewerPage>(new { Found = found, Config = ViewerConfig.From(imageApi.Value.PublicOrigin, found) })
                : NoSuchStudy();
        }
        catch (ImageApiUnavailableException exception)
        {
            return ErrorPages.Unavailable(exception.TimedOut);
        }
    }

    private static async Task<Results<ContentHttpResult, NotFound, StatusCodeHttpResult>> GetConfigAsync(
        string study, StudiesClient studies, IOptions<ImageApiOptions> imageApi, CancellationToken cancellationToken)
    {
        if (!Uid.IsMatch(study)) return TypedResults.NotFound();
        try
        {
            return await studies.FindAsync(study, cancellationToken) is { } found
                ? TypedResults.Text(ViewerConfig.From(imageApi.Value.PublicOrigin, found).ToJson(), "application/json")
                : TypedResults.NotFound();
        }
        catch (ImageApiUnavailableException)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static RazorComponentResult NoSuchStudy() => ErrorPages.NotFound(
        "No such study", "It may have been removed, or the address is not complete.");

    // PS3.5 9.1. Leading zeros are let through: real files have them.
    [GeneratedRegex(@"^(?=.{1,64}$)[0-9]+(\.[0-9]+)*$")]
    private static partial Regex Uid { get; }
}
