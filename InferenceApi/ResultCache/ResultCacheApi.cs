using System.Diagnostics.Metrics;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.TieredCache;

namespace InferenceApi.ResultCache;

/// <summary>The tiers that results live in, what is in them, and emptying them: <c>GET /api/cache/stats</c>, <c>POST /api/cache/clear</c>.</summary>
internal static class ResultCacheApi
{
    private const string RedisConnection = "cache", DefaultDiskPath = "~/.cache/platform";
    private const int MaxListed = 100;

    /// <summary>Memory; Redis where the configuration has <c>ConnectionStrings:cache</c>; disk, unless <c>TieredCache:Disk:Path</c> is empty.</summary>
    public static void AddResultCache(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<TieredCacheOptions>().BindConfiguration(TieredCacheOptions.SectionName);
        services.PostConfigure<TieredCacheOptions>(static options => options.Disk.Path = options.Disk.Path switch
        {
            null => Expand(DefaultDiskPath),
            "" => null,
            var path => Expand(path),
        });
        services.AddOptions<ResultOptions>().BindConfiguration(ResultOptions.SectionName).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ResultOptions>, ResultOptionsValidator>());
        if (builder.Configuration.GetConnectionString(RedisConnection) is { Length: > 0 } redis)
        {
            builder.AddRedisClient(RedisConnection);        // its health check; the tier has connections of its own
            services.TryAddSingleton(provider => new RedisTier(redis, provider.GetRequiredService<IOptions<TieredCacheOptions>>().Value.Redis, provider.GetRequiredService<TimeProvider>()));
        }

        services.TryAddSingleton(static provider => new TieredCache(
            provider.GetRequiredService<IOptions<TieredCacheOptions>>().Value, provider.GetService<RedisTier>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<IMeterFactory>(), null));
        services.TryAddSingleton<ITieredCache>(static provider => provider.GetRequiredService<TieredCache>());
        services.TryAddSingleton<ICacheAdministration>(static provider => provider.GetRequiredService<TieredCache>());
        services.TryAddSingleton<ModelIdentities>();
        services.TryAddSingleton<ResultCounts>();
    }

    public static IEndpointRouteBuilder MapResultCacheApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/cache").WithTags("Results");
        group.MapGet("/stats", StatsAsync).WithName("ResultCacheStats").Produces<ResultCacheStats>();
        group.MapPost("/clear", ClearAsync).WithName("ClearResultCache").Produces<ResultCacheCleared>();
        return app;
    }

    private static string Expand(string path) => path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..]) : path;

    private static async Task<IResult> StatsAsync(ICacheAdministration administration, ResultCounts counts, IOptions<ResultOptions> options, TimeProvider time, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var held = await administration.MeasureAsync(CacheScope.Kind(EntryKind.Result), context.RequestAborted);
        var page = await administration.ListAsync(new CacheEntryQuery { Tier = CacheTier.Memory, Kind = EntryKind.Result, Limit = MaxListed }, context.RequestAborted);
        var now = time.GetUtcNow();
        return Results.Json(new ResultCacheStats(
            held.Tiers.Where(static tier => tier.Tier == CacheTier.Memory).Sum(static tier => tier.Entries),
            held.Tiers.Where(static tier => tier.Tier == CacheTier.Memory).Sum(static tier => tier.Bytes),
            administration.Bounds.MemoryBytes,
            (long)options.Value.Ttl.TotalSeconds,
            counts.Hits, counts.Misses, counts.HitRate,
            [.. page.Entries.Select(entry => new ResultCacheEntry(entry.Id, entry.Bytes, Math.Round((now - entry.MadeAt).TotalSeconds, 1), entry.Hits))]), ResultCacheJson.Default.ResultCacheStats);
    }

    private static async Task<IResult> ClearAsync(ICacheAdministration administration, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var report = await administration.ClearAsync(CacheScope.Kind(EntryKind.Result), context.RequestAborted);
        return Results.Json(new ResultCacheCleared(report.Tiers.Sum(static tier => tier.Entries), report.Tiers.Sum(static tier => tier.Bytes)), ResultCacheJson.Default.ResultCacheCleared);
    }
}

/// <summary>How often a result was there.</summary>
internal sealed class ResultCounts
{
    private long _hits, _misses;

    public long Hits => Interlocked.Read(ref _hits);

    public long Misses => Interlocked.Read(ref _misses);

    /// <summary>0 to 1; 0 before the first request.</summary>
    public double HitRate => Hits + Misses is > 0 and var all ? Math.Round((double)Hits / all, 4) : 0;

    public void Count(in CacheOutcome outcome)
    {
        if (outcome.IsHit) Interlocked.Increment(ref _hits);
        else Interlocked.Increment(ref _misses);
    }
}

/// <summary>What is in the cache of results, as the older tool's clients know it.</summary>
/// <param name="Size">Results in memory.</param>
/// <param name="Bytes">Theirs.</param>
/// <param name="MaxSize">Bytes that memory holds in all.</param>
/// <param name="TtlSeconds">How long tiers below memory keep one.</param>
/// <param name="Hits">Requests answered without running a model, since the start.</param>
/// <param name="Misses">Requests that ran one, or waited for one that ran.</param>
/// <param name="HitRate">0 to 1.</param>
/// <param name="Entries">The newest in memory, 100 at most.</param>
internal sealed record ResultCacheStats(long Size, long Bytes, long MaxSize, long TtlSeconds, long Hits, long Misses, double HitRate, IReadOnlyList<ResultCacheEntry> Entries);

/// <param name="Key">Of the hash of what it was made from.</param>
/// <param name="Bytes">Of the result.</param>
/// <param name="AgeSeconds">Since it was made.</param>
/// <param name="Hits">Since it is in memory.</param>
internal sealed record ResultCacheEntry(string Key, long Bytes, double AgeSeconds, long Hits);

/// <param name="Entries">In all tiers, as far as they can count.</param>
/// <param name="Bytes">Theirs.</param>
internal sealed record ResultCacheCleared(long Entries, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ResultCacheStats))]
[JsonSerializable(typeof(ResultCacheCleared))]
internal sealed partial class ResultCacheJson : JsonSerializerContext;
