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
        new HttpOrigin(name, options, new HttpCacheHandler(cache, records, CacheOptionsOf(name, options, cache.Kinds[EntryKind.File]), time) { InnerHandler = http.CreateHandler(name, options) });

    /// <summary>What the origin's configuration says of freshness, else what is said of files, else the cache's own defaults.</summary>
    internal static HttpCacheOptions CacheOptionsOf(string name, OriginOptions options, KindPolicy files)
    {
        var (said, defaults) = (options.Freshness, new HttpFreshness());
        return new HttpCacheOptions
        {
            Name = name,
            BodyIdleTimeout = options.TryTimeout,
            Freshness = defaults with
            {
                Ttl = said.Ttl,
                StaleWhileRevalidate = said.StaleWhileRevalidate ?? files.StaleWhileRevalidate,
                StaleIfError = said.StaleIfError ?? files.StaleIfError,
                StaleWhenUnreachable = said.StaleIfError ?? defaults.StaleWhenUnreachable,
                NegativeTtl = said.NegativeTtl ?? files.NegativeTtl,
            },
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
