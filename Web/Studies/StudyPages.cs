using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Web.Studies;

/// <summary>The study list: the page, its search form, and the fragment that scripts put in place of the list.</summary>
internal static class StudyPages
{
    /// <summary>Carries the list's address with a fragment, for the browser's history.</summary>
    public const string AddressHeader = "X-List-Address";

    public static IServiceCollection AddStudies(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("Platform.Web");
        services.TryAddSingleton<SearchSeal>();
        services.TryAddTransient<StudyLister>();
        return services;
    }

    public static IEndpointRouteBuilder MapStudyPages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").ExcludeFromDescription();
        group.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapPost("/", PostSearchAsync);
        group.MapGet("/studies", GetFragmentAsync);
        group.MapPost("/studies", PostFragmentAsync);
        return app;
    }

    private static async Task<RazorComponentResult> GetPageAsync(HttpRequest request, StudyLister lister, SearchSeal seal, CancellationToken cancellationToken)
    {
        var listing = await lister.ListAsync(FromQuery(request, seal), cancellationToken);
        return new RazorComponentResult<StudyListPage>(new { Listing = listing }) { StatusCode = StatusOf(listing) };
    }

    /// <summary>Without scripts the form lands here and is sent on to an address that can be reloaded.</summary>
    private static async Task<StatusCodeHttpResult> PostSearchAsync(HttpRequest request, HttpResponse response, SearchSeal seal, CancellationToken cancellationToken)
    {
        var filter = await FromFormAsync(request, seal, cancellationToken);
        response.Headers.Location = filter.ToAddress(seal);
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }

    private static async Task<RazorComponentResult> GetFragmentAsync(HttpContext context, StudyLister lister, SearchSeal seal, CancellationToken cancellationToken) =>
        Fragment(context.Response, await lister.ListAsync(FromQuery(context.Request, seal), cancellationToken), seal);

    private static async Task<RazorComponentResult> PostFragmentAsync(HttpContext context, StudyLister lister, SearchSeal seal, CancellationToken cancellationToken)
    {
        var filter = await FromFormAsync(context.Request, seal, cancellationToken);
        return Fragment(context.Response, await lister.ListAsync(filter, cancellationToken), seal);
    }

    private static RazorComponentResult Fragment(HttpResponse response, StudyListing listing, SearchSeal seal)
    {
        response.Headers[AddressHeader] = listing.Filter.ToAddress(seal);
        return new RazorComponentResult<StudyResults>(new { Listing = listing }) { StatusCode = StatusOf(listing) };
    }

    private static int StatusOf(StudyListing listing) => listing.IsUnavailable ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;

    private static StudyFilter FromQuery(HttpRequest request, SearchSeal seal) =>
        // Words in the open are not taken from an address: only the seal's.
        StudyFilter.Read(name => name == "text" ? null : (string?)request.Query[name], seal);

    private static async Task<StudyFilter> FromFormAsync(HttpRequest request, SearchSeal seal, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType) return StudyFilter.None;
        var form = await request.ReadFormAsync(cancellationToken);
        return StudyFilter.Read(name => form[name], seal);
    }
}
