using ImageApi.HttpCaching;
using ImageApi.Origins;
using ImageApi.Origins.Http;
using ImageApi.Problems;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace ImageApi.Files;

/// <summary>Files of origins under addresses of ours: of an HTTP origin through the cache (RFC 9111), of other kinds through the tiers.</summary>
internal static class FilesApi
{
    private const long MaxUploadBytes = 4L << 30;

    public static IEndpointRouteBuilder MapFilesApi(this IEndpointRouteBuilder app)
    {
        // No method is named: which an origin takes is its configuration's to say.
        app.Map("/files/{origin}/{**path}", HandleAsync).WithName("Files").WithTags("Files")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status405MethodNotAllowed).ProducesProblem(StatusCodes.Status502BadGateway);
        return app;
    }

    private static async Task HandleAsync(HttpContext context, string origin, IOrigins origins, FileForwarder forwarder, StoredFiles files)
    {
        if (!origins.TryGet<IFileOrigin>(origin, out var found))
        {
            await Problem.NotFound("There is no such origin of files.").ExecuteAsync(context);
            return;
        }

        var request = context.Request;
        var unsafeMethods = (found as HttpOrigin)?.Methods ?? [];
        if (!Verbs.GetAndHead.Contains(request.Method) && !(found is HttpOrigin && HttpMethods.IsOptions(request.Method)) && !unsafeMethods.Contains(request.Method))
        {
            context.Response.Headers.Allow = string.Join(", ", [.. Verbs.GetAndHead, .. found is HttpOrigin ? [HttpMethods.Options] : Array.Empty<string>(), .. unsafeMethods]);
            await new Problem(ProblemTypes.MethodNotAllowed, "Method not allowed", StatusCodes.Status405MethodNotAllowed, "The origin is not configured for this method.").ExecuteAsync(context);
            return;
        }

        var rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!FileTarget.TryRead(rawTarget, origin, out var pathAndQuery))
        {
            await Problem.BadRequest("The path is not one of a file below its origin.").ExecuteAsync(context);
            return;
        }

        // What the origin answers is the answer, an error without a body too.
        if (context.Features.Get<IStatusCodePagesFeature>() is { } pages) pages.Enabled = false;
        // The origin bounds what is sent to it; ours is the longest body that is passed on.
        if (unsafeMethods.Contains(request.Method) && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxUploadBytes;
        if (found is HttpOrigin http) await forwarder.ForwardAsync(context, http, pathAndQuery);
        else await files.SendAsync(context, found, pathAndQuery);
    }
}

internal static class FilesServices
{
    public static IServiceCollection AddFiles(this IServiceCollection services) => services.AddSingleton<FileForwarder>().AddSingleton<StoredFiles>();
}
