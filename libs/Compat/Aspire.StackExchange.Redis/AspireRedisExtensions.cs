using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Registers a Redis client under the names and settings of the Aspire package of this name. Differences, all on the
/// side of not being in the way: the health check reports "degraded", never "unhealthy", and is bounded in time.
/// Without a connection string, resolving the client throws, as there; so a service that can do without Redis asks
/// <c>Configuration.GetConnectionString(name)</c> first and registers nothing when it is empty.
/// </summary>
public static class AspireRedisExtensions
{
    private const string SectionName = "Aspire:StackExchange:Redis";

    /// <summary>Registers a singleton <see cref="IConnectionMultiplexer"/>, connected when it is first resolved.</summary>
    public static void AddRedisClient(this IHostApplicationBuilder builder, string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null)
        => Add(builder, connectionName, serviceKey: null, configureSettings, configureOptions);

    /// <summary>As <see cref="AddRedisClient"/>, and gives the builder for more.</summary>
    public static AspireRedisClientBuilder AddRedisClientBuilder(this IHostApplicationBuilder builder, string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null)
        => Add(builder, connectionName, serviceKey: null, configureSettings, configureOptions);

    /// <summary>Registers a keyed singleton <see cref="IConnectionMultiplexer"/>; <paramref name="name"/> is the key and the connection's name.</summary>
    public static void AddKeyedRedisClient(this IHostApplicationBuilder builder, string name,
        Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null)
        => Add(builder, name, serviceKey: name, configureSettings, configureOptions);

    /// <summary>As <see cref="AddKeyedRedisClient"/>, and gives the builder for more.</summary>
    public static AspireRedisClientBuilder AddKeyedRedisClientBuilder(this IHostApplicationBuilder builder, string name,
        Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null)
        => Add(builder, name, serviceKey: name, configureSettings, configureOptions);

    private static AspireRedisClientBuilder Add(IHostApplicationBuilder builder, string connectionName, string? serviceKey,
        Action<StackExchangeRedisSettings>? configureSettings, Action<ConfigurationOptions>? configureOptions)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var shared = builder.Configuration.GetSection(SectionName);
        var named = shared.GetSection(connectionName);
        var settings = new StackExchangeRedisSettings();
        shared.Bind(settings);
        named.Bind(settings);
        if (builder.Configuration.GetConnectionString(connectionName) is { Length: > 0 } connectionString) settings.ConnectionString = connectionString;
        configureSettings?.Invoke(settings);

        IConnectionMultiplexer Connect()
        {
            if (string.IsNullOrEmpty(settings.ConnectionString))
            {
                throw new InvalidOperationException(
                    $"The Redis client has no endpoint: set 'ConnectionStrings:{connectionName}' or '{SectionName}:{connectionName}:ConnectionString'.");
            }

            var options = ConfigurationOptions.Parse(settings.ConnectionString);
            options.AbortOnConnectFail = false;
            shared.GetSection("ConfigurationOptions").Bind(options);
            named.GetSection("ConfigurationOptions").Bind(options);
            configureOptions?.Invoke(options);
            return ConnectionMultiplexer.Connect(options);
        }

        if (serviceKey is null) builder.Services.AddSingleton<IConnectionMultiplexer>(_ => Connect());
        else builder.Services.AddKeyedSingleton<IConnectionMultiplexer>(serviceKey, (_, _) => Connect());

        IConnectionMultiplexer Resolve(IServiceProvider services) => serviceKey is null
            ? services.GetRequiredService<IConnectionMultiplexer>()
            : services.GetRequiredKeyedService<IConnectionMultiplexer>(serviceKey);

        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                serviceKey is null ? "StackExchange.Redis" : $"StackExchange.Redis_{serviceKey}",
                services => new RedisHealthCheck(() => Resolve(services)),
                failureStatus: HealthStatus.Degraded, tags: null));
        }

        if (!settings.DisableAutoActivation)
            builder.Services.AddSingleton<IHostedService>(services => new RedisActivation(() => Resolve(services)));
        return new AspireRedisClientBuilder(builder, settings, serviceKey);
    }
}
