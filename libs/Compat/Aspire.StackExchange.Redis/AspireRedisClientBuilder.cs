using Microsoft.Extensions.Hosting;

namespace Aspire.StackExchange.Redis;

/// <summary>What a registration of a Redis client can be extended through.</summary>
public sealed class AspireRedisClientBuilder(IHostApplicationBuilder hostBuilder, StackExchangeRedisSettings settings, string? serviceKey)
{
    /// <summary>The application's builder.</summary>
    public IHostApplicationBuilder HostBuilder { get; } = hostBuilder;

    /// <summary>The settings in effect.</summary>
    public StackExchangeRedisSettings Settings { get; } = settings;

    /// <summary>The key of a keyed registration.</summary>
    public string? ServiceKey { get; } = serviceKey;
}
