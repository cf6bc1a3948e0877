using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Net.Http.Headers;

namespace Web.Assets;

/// <summary>Serves the built client: compressed when it was built, under hashed names whose content never changes.</summary>
internal static class AssetsApi
{
    private const string Immutable = "public, max-age=31536000, immutable";
    private const string Revalidated = "public, no-cache";
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddAssets(this IServiceCollection services)
    {
        services.TryAddSingleton<ClientAssets>();
        return services;
    }

    public static IEndpointRouteBuilder MapAssets(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/dist/{**path}", Methods, GetBuilt).ExcludeFromDescription();
        app.MapMethods("/favicon.svg", Methods, GetIcon).ExcludeFromDescription();
        return app;
    }

    private static Results<PhysicalFileHttpResult, NotFound> GetBuilt(string path, HttpContext context, ClientAssets assets) =>
        Get("dist/" + path, context, assets);

    private static Results<PhysicalFileHttpResult, NotFound> GetIcon(HttpContext context, ClientAssets assets) =>
        Get("favicon.svg", context, assets);

    private static Results<PhysicalFileHttpResult, NotFound> Get(string path, HttpContext context, ClientAssets assets)
    {
        if (assets.Find(path) is not { } file) return TypedResults.NotFound();
        var coding = Negotiate(file, context.Request.Headers.AcceptEncoding);
        var headers = context.Response.Headers;
        if (coding is not null) headers.ContentEncoding = coding;
        if (file.HasBrotli || file.HasGzip) headers.Vary = "Accept-Encoding";
        headers.CacheControl = file.IsImmutable ? Immutable : Revalidated;
        var ending = coding switch { "br" => ".br", "gzip" => ".gz", _ => "" };
        return TypedResults.PhysicalFile(
            file.Path + ending, file.ContentType, lastModified: file.LastModified,
            entityTag: new EntityTagHeaderValue($"\"{file.Tag}{ending}\""));
    }

    /// <summary>The coding to answer with (RFC 9110 12.5.3): brotli before gzip before none, of those that are not refused.</summary>
    internal static string? Negotiate(ClientFile file, string? acceptEncoding)
    {
        if (string.IsNullOrEmpty(acceptEncoding) || !StringWithQualityHeaderValue.TryParseList([acceptEncoding], out var accepted)) return null;
        bool Accepts(string coding) =>
            (accepted.FirstOrDefault(value => value.Value.Equals(coding, StringComparison.OrdinalIgnoreCase))
             ?? accepted.FirstOrDefault(static value => value.Value == "*")) is { } match && match.Quality is not 0;
        if (file.HasBrotli && Accepts("br")) return "br";
        return file.HasGzip && Accepts("gzip") ? "gzip" : null;
    }
}
