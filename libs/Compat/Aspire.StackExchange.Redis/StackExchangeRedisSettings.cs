namespace Aspire.StackExchange.Redis;

/// <summary>Settings of a Redis client: section <c>Aspire:StackExchange:Redis</c>, then the same with <c>:name</c>.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary><c>host:port,password=...</c>; <c>ConnectionStrings:name</c> wins over it.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>True (the default): connect when first resolved. False: begin at the start of the host, without delaying it.</summary>
    public bool DisableAutoActivation { get; set; } = true;

    /// <summary>Registers no health check.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>No effect with StackExchange.Redis 1.x, which has no activity source.</summary>
    public bool DisableTracing { get; set; }
}
