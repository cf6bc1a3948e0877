using ImageApi.Origins.Outbound;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Platform.HttpCache;
using Platform.TieredCache;

namespace ImageApi.Origins.Http;

/// <summary>File servers.</summary>
internal sealed class HttpOriginKind(OriginHttp http, ITieredCache cache, IRecordStore records, TimeProvider time) : IOriginKind
{
    public string Kind => OriginKinds.Http;

    public IOrigin Create(string name, OriginOptions options) =>
        new HttpOrigin(name, options, new HttpCacheHandler(cache, records, CacheOptionsOf(name, options, () => cache.Kinds[EntryKind.File]), time) { InnerHandler = http.CreateHandler(name, options) });

    internal static HttpCacheOptions CacheOptionsOf(string name, OriginOptions options, Func<KindPolicy> files) => new()
    {
        Name = name,
        BodyIdleTimeout = options.TryTimeout,
        LiveFreshness = () => FreshnessOf(options.Freshness, files()),
    };

    /// <summary>What the origin's configuration says, else what is said of files at this moment, else the cache's own defaults.</summary>
    private static HttpFreshness FreshnessOf(OriginFreshness said, KindPolicy files)
    {
        var defaults = new HttpFreshness();
        return defaults with
        {
            Ttl = said.Ttl,
            StaleWhileRevalidate = said.StaleWhileRevalidate ?? files.StaleWhileRevalidate,
            StaleIfError = said.StaleIfError ?? files.StaleIfError,
            StaleWhenUnreachable = said.StaleIfError ?? defaults.StaleWhenUnreachable,
            NegativeTtl = said.NegativeTtl ?? files.NegativeTtl,
        };
    }
}

internal static class HttpOriginServices
{
    public static IServiceCollection AddHttpOrigins(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IOriginKind, HttpOriginKind>());
        return services;
    }
}
