using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Web.Errors;

/// <summary>What a page says when it cannot be what was asked for: never a stack trace, always a way on.</summary>
internal static class ErrorPages
{
    /// <summary>Turns unhandled exceptions and empty 4xx answers into pages, for those who asked for one.</summary>
    public static IApplicationBuilder UseErrorPages(this WebApplication app)
    {
        app.UseExceptionHandler(static errors => errors.Run(static context => context.Features.Get<IExceptionHandlerFeature>()?.Error is BadHttpRequestException refused
            ? Refused(refused.StatusCode).ExecuteAsync(context)
            : Failed(context.TraceIdentifier).ExecuteAsync(context)));
        return app.UseStatusCodePages(static status =>
        {
            var context = status.HttpContext;
            var wantsPage = context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
            return context.Response.StatusCode == StatusCodes.Status404NotFound && wantsPage
                ? NotFound("No such page", "The address may be mistyped, or the page has moved.").ExecuteAsync(context)
                : Task.CompletedTask;
        });
    }

    public static RazorComponentResult NotFound(string title, string text) =>
        Page(StatusCodes.Status404NotFound, "search", title, text, null, retries: false);

    /// <summary>ImageApi is slow or down.</summary>
    public static RazorComponentResult Unavailable(bool timedOut) => Page(
        StatusCodes.Status503ServiceUnavailable, timedOut ? "clock" : "warn",
        timedOut ? "The image server is slow" : "The image server cannot be reached",
        timedOut ? "It took too long to say what this study holds. What is stored is not affected." : "What is stored is not affected. Try again in a moment.",
        null, retries: true);

    /// <summary>A form that no page of this site made, or one that lay open across a restart.</summary>
    public static RazorComponentResult FormExpired() => Page(
        StatusCodes.Status400BadRequest, "clock", "This form has expired", "Nothing was changed. Go back, load the page again and repeat what you did.", null, retries: false);

    /// <summary>A request that the server did not read to its end: too large, malformed, too slow.</summary>
    private static RazorComponentResult Refused(int status) => Page(
        status, "warn", "This request cannot be answered", "It is too large or not complete. Nothing was changed.", null, retries: false);

    private static RazorComponentResult Failed(string requestId) => Page(
        StatusCodes.Status500InternalServerError, "warn", "Something went wrong here",
        "The page could not be made; nothing that is stored was changed. If it happens again, tell your administrator this number:", requestId, retries: true);

    private static RazorComponentResult Page(int status, string icon, string title, string text, string? requestId, bool retries) =>
        new RazorComponentResult<ErrorPage>(new { Icon = icon, Title = title, Text = text, RequestId = requestId, Retries = retries }) { StatusCode = status };
}
