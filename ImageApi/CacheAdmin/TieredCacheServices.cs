using System.Diagnostics.Metrics;
using ImageApi.Origins;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.TieredCache;
using Platform.TieredCache.S3;

namespace ImageApi.CacheAdmin;

internal static class TieredCacheServices
{
    private const string RedisConnection = "cache", DefaultDiskPath = "~/.cache/platform";

    /// <summary>
    /// The one cache of this process: memory; Redis where the configuration has <c>ConnectionStrings:cache</c>; disk, unless <c>TieredCache:Disk:Path</c> is empty;
    /// an object store where there is a <c>TieredCache:S3:Bucket</c>.
    /// </summary>
    public static void AddTieredCache(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<TieredCacheOptions>().BindConfiguration(TieredCacheOptions.SectionName).ValidateOnStart();
        services.PostConfigure<TieredCacheOptions>(static options => options.Disk.Path = options.Disk.Path switch
        {
            null => HomePath.Expand(DefaultDiskPath),
            "" => null,
            var path => HomePath.Expand(path),
        });
        services.TryAddSingleton<IValidateOptions<TieredCacheOptions>, TieredCacheOptionsValidator>();
        if (builder.Configuration.GetConnectionString(RedisConnection) is { Length: > 0 } redis)
        {
            builder.AddRedisClient(RedisConnection);        // its health check; the tier has connections of its own
            services.TryAddSingleton(provider => new RedisTier(redis,
                provider.GetRequiredService<IOptions<TieredCacheOptions>>().Value.Redis,
                provider.GetRequiredService<TimeProvider>()));
        }
        services.AddOptions<S3StoreOptions>().BindConfiguration(S3StoreOptions.SectionName).ValidateOnStart();
        services.TryAddSingleton<IValidateOptions<S3StoreOptions>, S3StoreOptionsValidator>();
        if (builder.Configuration[$"{S3StoreOptions.SectionName}:{nameof(S3StoreOptions.Bucket)}"] is { Length: > 0 })
            services.TryAddSingleton<IObjectStore>(static provider => new S3ObjectStore(provider.GetRequiredService<IOptions<S3StoreOptions>>().Value));
        services.TryAddSingleton(static provider => new TieredCache(
            provider.GetRequiredService<IOptions<TieredCacheOptions>>().Value,
            provider.GetService<RedisTier>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IMeterFactory>(),
            provider.GetService<IObjectStore>()));
        services.TryAddSingleton<ITieredCache>(static provider => provider.GetRequiredService<TieredCache>());
        services.TryAddSingleton<ICacheAdministration>(static provider => provider.GetRequiredService<TieredCache>());
        services.TryAddSingleton(static provider => provider.GetRequiredService<TieredCache>().Records);
    }
}

/// <summary>Checks the tiers' bounds when the service starts.</summary>
internal sealed class TieredCacheOptionsValidator : IValidateOptions<TieredCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, TieredCacheOptions options)
    {
        var results = new[] { new MemoryTierOptionsValidator().Validate(name, options.Memory), new RedisTierOptionsValidator().Validate(name, options.Redis),
            new DiskTierOptionsValidator().Validate(name, options.Disk), new ObjectTierOptionsValidator().Validate(name, options.Objects), new RecordOptionsValidator().Validate(name, options.Records) };
        var failures = results.Where(result => result.Failed).SelectMany(result => result.Failures!).ToArray();
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

[OptionsValidator]
internal sealed partial class MemoryTierOptionsValidator : IValidateOptions<MemoryTierOptions>;

[OptionsValidator]
internal sealed partial class RedisTierOptionsValidator : IValidateOptions<RedisTierOptions>;

[OptionsValidator]
internal sealed partial class DiskTierOptionsValidator : IValidateOptions<DiskTierOptions>;

[OptionsValidator]
internal sealed partial class ObjectTierOptionsValidator : IValidateOptions<ObjectTierOptions>;

[OptionsValidator]
internal sealed partial class S3StoreOptionsValidator : IValidateOptions<S3StoreOptions>;

[OptionsValidator]
internal sealed partial class RecordOptionsValidator : IValidateOptions<RecordOptions>;
