using Microsoft.Extensions.Options;
using Web.Dicomweb;

namespace Web.Security;

/// <summary>The headers that keep a page to itself: what it may load, whom it may call, who may frame it.</summary>
internal static class PageSecurity
{
    // Nothing that a viewer needs; a page that needs one takes it out here first.
    private const string Permissions =
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

    public static IApplicationBuilder UsePageSecurity(this WebApplication app)
    {
        var policy = Policy(app.Services.GetRequiredService<IOptions<ImageApiOptions>>().Value.PublicOrigin);
        return app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = Permissions;
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers.CacheControl = "private, no-cache"; // pages; assets say otherwise
            return next(context);
        });
    }

    /// <summary>
    /// No inline script or style, no other site than ImageApi. The decoders are WebAssembly in workers; <c>data:</c> pictures are
    /// thumbnails that came with an event.
    /// </summary>
    private static string Policy(string imageApi) => string.Join("; ",
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        $"img-src 'self' blob: data: {imageApi}",
        "font-src 'self'",
        $"connect-src 'self' {imageApi}",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'");
}
