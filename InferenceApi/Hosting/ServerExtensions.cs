using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace InferenceApi.Hosting;

/// <summary>The web server: limits against clients that trickle, idle or flood, and who may read answers from a browser.</summary>
internal static class ServerExtensions
{
    /// <summary>What scripts of another origin may see of an answer.</summary>
    private static readonly string[] ExposedHeaders =
        ["Cache-Status", "Content-Encoding", "Content-Length", "Content-Type", "ETag", "Inference-Header-Content-Length", "Location", "Retry-After", "Server-Timing", "X-Request-Id"];

    public static void AddServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(static server =>
        {
            server.AddServerHeader = false;
            var limits = server.Limits;
            limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limits.MaxRequestLineSize = 16 * 1024;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MaxConcurrentConnections = 1024;
            // A body that crawls holds a connection and memory: 2.4 KB/s is below every link that carries pictures.
            limits.MinRequestBodyDataRate = new MinDataRate(2400, TimeSpan.FromSeconds(10));
            limits.MinResponseDataRate = new MinDataRate(2400, TimeSpan.FromSeconds(10));
        });
        // In production nothing is written per request; in development ServiceDefaults writes the one line.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.AddResponseCompression(static compression =>
        {
            // Answers are made for one caller and hold no secrets beside what the caller sent (no BREACH); pictures and tensors are compressed already, or not at all.
            compression.EnableForHttps = true;
            compression.MimeTypes = ["application/json", "application/problem+json"];
        });
        builder.Services.Configure<BrotliCompressionProviderOptions>(static brotli => brotli.Level = CompressionLevel.Fastest);
        builder.Services.Configure<GzipCompressionProviderOptions>(static gzip => gzip.Level = CompressionLevel.Fastest);
        builder.Services.AddCors();
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
