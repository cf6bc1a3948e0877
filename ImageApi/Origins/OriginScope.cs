using ImageApi.Catalog;
using ImageApi.Origins.Dicomweb;
using ImageApi.Problems;

namespace ImageApi.Origins;

/// <summary>
/// <c>/dicomweb/{origin}</c>: one origin by itself. What we know goes the same road as everything, with a catalog that sees that origin only; what we do not
/// know is handed to a DICOMweb server untouched.
/// </summary>
/// <param name="Origin">The origin.</param>
/// <param name="Catalog">Sees what it has and nothing else.</param>
internal sealed record OriginScope(IDicomOrigin Origin, ICatalog Catalog)
{
    private const string Root = "/dicomweb/";

    /// <summary>Has to come before routing: a request to one origin is routed as the same request to all.</summary>
    public static IApplicationBuilder Use(IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        Enter(context);
        return next(context);
    });

    /// <summary>Hands on what no other route knows.</summary>
    public static void MapPassThrough(IEndpointRouteBuilder app) => app.Map(Root + "{origin}/{**path}", PassAsync).WithTags("Origins").ExcludeFromDescription();

    private static void Enter(HttpContext context)
    {
        var (request, services) = (context.Request, context.RequestServices);
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) || request.Path.Value is not { } path || !path.StartsWith(Root, StringComparison.Ordinal)) return;
        var end = path.IndexOf('/', Root.Length);
        if (end < 0 || !services.GetRequiredService<IOrigins>().TryGet<IDicomOrigin>(path[Root.Length..end], out var origin) || !IsKnown(path.AsSpan(end + 1))) return;
        var catalog = services.GetRequiredService<MergedCatalog>();
        context.Features.Set(new OriginScope(origin, catalog.Only(origin)));
        request.Path = string.Concat(Root, path.AsSpan(end + 1));
    }

    /// <summary>The resources that have a route of ours: PS3.18 10.3 to 10.6.</summary>
    private static bool IsKnown(ReadOnlySpan<char> path)
    {
        Span<Range> ranges = stackalloc Range[10];
        var count = path.TrimEnd('/').Split(ranges, '/');
        if (count is 0 or 10) return count == 10 && path[ranges[6]] is "bulkdata";
        var first = path[ranges[0]];
        if (count == 1) return first is "studies" or "series" or "instances";
        if (first is not "studies") return false;
        var last = path[ranges[count - 1]];
        return count switch
        {
            2 => true,
            3 => last is "metadata" or "series" or "instances" or "rendered" or "thumbnail",
            4 => path[ranges[2]] is "series",
            5 => path[ranges[2]] is "series" && last is "metadata" or "instances" or "rendered" or "thumbnail",
            6 => path[ranges[4]] is "instances",
            7 => path[ranges[4]] is "instances" && last is "metadata" or "rendered" or "thumbnail",
            _ => path[ranges[4]] is "instances" && path[ranges[6]] is "frames" or "bulkdata",
        };
    }

    private static Task PassAsync(HttpContext context, string origin, IOrigins origins)
    {
        // "/dicomweb/studies/..." comes here too when no route of ours has its method.
        if (IsKnown(context.Request.Path.Value.AsSpan(Root.Length)) && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return new Problem(ProblemTypes.MethodNotAllowed, "Method not allowed", StatusCodes.Status405MethodNotAllowed, "The resource does not know this method.").ExecuteAsync(context);
        }

        if (origins.TryGet<DicomwebOrigin>(origin, out var server)) return PassThrough.SendAsync(context, server, PassThrough.TargetOf(context, origin));
        return Problem.NotFound(origins.TryGet<IOrigin>(origin, out _) ? "The origin has no such resource." : "There is no such resource, and no origin of this name.").ExecuteAsync(context);
    }
}

internal static class OriginScopes
{
    /// <summary>The catalog as the request may see it: all of it, or one origin's part.</summary>
    public static ICatalog Seen(this ICatalog catalog, HttpContext context) => context.Features.Get<OriginScope>()?.Catalog ?? catalog;
}
