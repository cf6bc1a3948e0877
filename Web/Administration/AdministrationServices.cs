using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.Options;
using Web.Dicomweb;

namespace Web.Administration;

internal static class AdministrationServices
{
    private const long MaxAnswerBytes = 4 * 1024 * 1024;

    /// <summary>Adds <see cref="AdministrationClient"/> and what keeps other sites' pages from using it through a browser.</summary>
    public static IServiceCollection AddAdministration(this IServiceCollection services)
    {
        services.AddAntiforgery(static options =>
        {
            options.Cookie.Name = "platform-form";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.HttpOnly = true;
            options.FormFieldName = FormToken.FieldName;
        });
        services.AddHttpClient<AdministrationClient>(static (provider, http) =>
        {
            http.BaseAddress = new Uri("http://image-api");
            // Clearing a large disk takes longer than a page may wait for figures.
            http.Timeout = 10 * provider.GetRequiredService<IOptions<ImageApiOptions>>().Value.ImageApiTimeout;
            http.MaxResponseContentBufferSize = MaxAnswerBytes;
        });
        return services;
    }

    /// <summary>Refuses forms that no page of this site made.</summary>
    public static TBuilder RequireFormToken<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder
    {
        endpoints.AddEndpointFilter<TBuilder, FormTokenFilter>();
        return endpoints;
    }
}

/// <summary>What a form carries so that it can only come from a page of ours.</summary>
internal static class FormToken
{
    public const string FieldName = "__token";

    /// <summary>The token for the page that is being made; its other half goes into a cookie.</summary>
    public static string For(HttpContext context)
    {
        // As the antiforgery service wants it: it warns of anything else.
        (context.Response.Headers.CacheControl, context.Response.Headers.Pragma) = ("no-cache, no-store", "no-cache");
        return context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context).RequestToken!;
    }
}

internal sealed class FormTokenFilter(IAntiforgery antiforgery) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.Request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "same-origin" && site != "none") return TypedResults.StatusCode(StatusCodes.Status403Forbidden);
        if (!http.Request.HasFormContentType || !await antiforgery.IsRequestValidAsync(http)) return Errors.ErrorPages.FormExpired();
        return await next(context);
    }
}
