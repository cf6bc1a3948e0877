using System.Net;
using System.Text;
using ImageApi.HttpCaching;
using ImageApi.Search;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ImageApi.Hosting;

/// <summary>The web server: limits against clients that trickle, idle or flood, and who may read answers from a browser.</summary>
internal static class ServerExtensions
{
    /// <summary>What scripts of another origin may see of an answer.</summary>
    private static readonly string[] ExposedHeaders =
    [
        "Accept-Ranges", CacheStatus.HeaderName, "Content-Encoding", "Content-Length", "Content-Location", "Content-Range", "Content-Type",
        "ETag", "Last-Modified", "Location", "Platform-Pixel-Digest", "Retry-After", "Server-Timing", "Warning", "X-Request-Id", SearchResponse.TotalCountHeader,
    ];

    public static void AddServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(static server =>
        {
            server.AddServerHeader = false;
            // Header octets that are no ASCII pass through /files as they are; read and written as UTF-8 they would be refused.
            server.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            server.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
            var limits = server.Limits;
            // Two of the pieces that cached values are copied in: one is sent while the next is copied. More would be lent to every slow client.
            limits.MaxResponseBufferSize = 256 * 1024;
            limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limits.MaxRequestLineSize = 16 * 1024;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MaxConcurrentConnections = 4096;
            // Half a frame ahead of the socket: fewer hand-overs between its thread and ours, and little enough per slow client.
            // Two of the pieces that cached values are copied in: one is sent while the next is copied. More would be lent to every slow client.
            limits.MaxResponseBufferSize = 256 * 1024;
            // A body that crawls holds a connection and, upwards, leased memory: 2.4 KB/s is below every link that shows pictures.
            limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
            limits.MinResponseDataRate = new MinDataRate(2400, TimeSpan.FromSeconds(10));
        });
        // In production nothing is written per request; in development ServiceDefaults writes the one line.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.AddCors();
        builder.Services.AddOptions<WarmUpOptions>().BindConfiguration(WarmUpOptions.SectionName);
        builder.Services.AddHostedService<WarmUp>();
        builder.Services.AddOptions<CrossOriginOptions>().BindConfiguration(CrossOriginOptions.SectionName);
        builder.Services.AddOptions<CorsOptions>().Configure<Microsoft.Extensions.Options.IOptions<CrossOriginOptions>>(static (cors, options) =>
            cors.AddDefaultPolicy(policy => Allow(policy, options.Value.Origins)));
    }

    private static void Allow(CorsPolicyBuilder policy, string[] origins)
    {
        if (origins.Contains("*"))
            policy.AllowAnyOrigin();
        else if (origins.Length > 0)
            policy.WithOrigins(origins);
        else
            policy.SetIsOriginAllowed(IsLoopback);
        policy.AllowAnyHeader().AllowAnyMethod().WithExposedHeaders(ExposedHeaders).SetPreflightMaxAge(TimeSpan.FromHours(2));
    }

    private static bool IsLoopback(string origin) => Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && (uri.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));
}
