using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ServiceDefaults.Discovery;
using ServiceDefaults.Listening;
using ServiceDefaults.Requests;
using ServiceDefaults.Resilience;
using ServiceDefaults.Telemetry;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the Platform has: telemetry, health, resilience, discovery, request ids, safe listening.</summary>
public static class Extensions
{
    private const string LiveTag = "live";

    /// <summary>
    /// Adds the defaults to a service. Call it first in <c>Program.cs</c>; call <see cref="MapDefaultEndpoints"/> on the built application.
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.AddTelemetry();

        // The framework's own request lines carry the query string, and a QIDO query carries a patient's name.
        // RequestMiddleware writes the line instead: method, route template, status, time.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http.HttpClient", LogLevel.Warning);

        // Kestrel reads only its endpoints from configuration; its limits (keep-alive and the like) need this.
        builder.Services.Configure<KestrelServerOptions>(builder.Configuration.GetSection("Kestrel"));

        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        builder.Services.AddOpenApi();
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = static context =>
            context.ProblemDetails.Extensions["traceId"] = RequestMiddleware.RequestIdOf(context.HttpContext));

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<ServiceEndpoints>();
        builder.Services.TryAddTransient<ServiceDiscoveryHandler>();
        builder.Services.TryAddTransient<ResilienceHandler>();
        builder.Services.ConfigureHttpClientDefaults(static http =>
        {
            http.AddHttpMessageHandler<ResilienceHandler>();
            http.AddHttpMessageHandler<ServiceDiscoveryHandler>();
        });

        builder.Services.AddOptions<ListeningOptions>().BindConfiguration(ListeningOptions.SectionName);
        builder.Services.AddHostFiltering(static _ => { });
        builder.Services.AddOptions<HostFilteringOptions>().Configure<IConfiguration, IOptions<ListeningOptions>>(static (hosts, configuration, listening) =>
            hosts.AllowedHosts = AllowedHosts(configuration["AllowedHosts"], listening.Value));
        builder.Services.Replace(ServiceDescriptor.Singleton<IConnectionListenerFactory, LoopbackListenerFactory>());
        builder.Services.AddTransient<IStartupFilter, RequestStartupFilter>();
        return builder;
    }

    // A page of another site can have its name resolve to this machine (DNS rebinding) and would then read images as its own: on
    // loopback a service answers to loopback's names only, unless AllowedHosts says otherwise.
    private static string[] AllowedHosts(string? configured, ListeningOptions listening) => configured is { Length: > 0 }
        ? configured.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        : listening.ListenBeyondLoopback ? ["*"] : ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>
    /// Maps <c>/health</c> (ready: every check passes or is degraded), <c>/alive</c> (the process answers) and <c>/openapi/v1.json</c>.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = static check => check.Tags.Contains(LiveTag) });
        app.MapOpenApi();
        return app;
    }
}
