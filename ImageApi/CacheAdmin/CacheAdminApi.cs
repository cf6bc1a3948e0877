using ImageApi.HttpCaching;
using ImageApi.Problems;
using ImageApi.Settings;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>What the tiers hold and do, and what whoever runs them may change. Figures and hashes only: no UIDs, no patients.</summary>
internal static class CacheAdminApi
{
    private const int MaxEntries = 500;

    public static IEndpointRouteBuilder MapCacheAdminApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/cache").WithTags("Cache");
        group.MapGet("/stats", GetStatistics).WithName("GetCacheStatistics").Produces<CacheStats>();
        group.MapGet("/history", GetHistory).WithName("GetCacheHistory").Produces<CacheHistoryView>();
        group.MapGet("/entries", GetEntriesAsync).WithName("GetCacheEntries").Produces<CacheEntryPage>().ProducesProblem(StatusCodes.Status400BadRequest);
        group.MapGet("/scrub", GetScrub).WithName("GetCacheScrub").Produces<CacheScrub>();
        group.MapGet("/settings", GetSettings).WithName("GetCacheSettings").Produces<CacheSettingsView>();

        var administration = group.MapGroup("").RequireAdministrator();
        administration.MapPost("/clear", ClearAsync).WithName("ClearCache").Produces<CacheCleared>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status403Forbidden);
        administration.MapPost("/scrub", StartScrub).WithName("StartCacheScrub").Produces<CacheScrub>(StatusCodes.Status202Accepted);
        administration.MapDelete("/scrub", CancelScrub).WithName("CancelCacheScrub").Produces<CacheScrub>();
        administration.MapPut("/settings", PutSettingsAsync).WithName("PutCacheSettings").Produces<CacheSettingsView>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status428PreconditionRequired);
        return app;
    }

    private static IResult GetStatistics(HttpContext context, CacheFigures figures)
    {
        NeverKeep(context);
        return Results.Json(figures.Read(), CacheAdminJson.Default.CacheStats);
    }

    private static IResult GetHistory(HttpContext context, CacheHistory history)
    {
        NeverKeep(context);
        return Results.Json(history.Read(), CacheAdminJson.Default.CacheHistoryView);
    }

    private static async Task<IResult> GetEntriesAsync(HttpContext context, [AsParameters] EntriesQuery query, ICacheAdministration cache, CancellationToken cancellationToken)
    {
        if (query.Read(MaxEntries, out var problem) is not { } asked) return problem!;
        NeverKeep(context);
        try
        {
            return Results.Json(await cache.ListAsync(asked, cancellationToken), CacheAdminJson.Default.CacheEntryPage);
        }
        catch (ArgumentException) when (asked.After is not null)
        {
            return Invalid("'after' is not the 'next' of a page.");
        }
    }

    private static async Task<IResult> ClearAsync(HttpContext context, ICacheAdministration cache, CancellationToken cancellationToken)
    {
        var (request, problem) = await JsonBody.ReadAsync(context, CacheAdminJson.Default.CacheClearRequest);
        if (problem is not null) return problem;
        if (request!.Scope(out problem) is not { } scope) return problem!;
        if (!request.Confirm) return CacheCleared.AskFirst(await cache.MeasureAsync(scope, cancellationToken));
        NeverKeep(context);
        return Results.Json(CacheCleared.Of(await cache.ClearAsync(scope, cancellationToken)), CacheAdminJson.Default.CacheCleared);
    }

    private static IResult GetScrub(HttpContext context, CacheScrubber scrubber)
    {
        NeverKeep(context);
        return Results.Json(scrubber.State, CacheAdminJson.Default.CacheScrub);
    }

    /// <summary>Begins a scrub, or tells of the one that is under way: there is one at a time.</summary>
    private static IResult StartScrub(HttpContext context, CacheScrubber scrubber)
    {
        NeverKeep(context);
        context.Response.Headers.Location = "/api/cache/scrub";
        return Results.Json(scrubber.Start(), CacheAdminJson.Default.CacheScrub, statusCode: StatusCodes.Status202Accepted);
    }

    private static IResult CancelScrub(HttpContext context, CacheScrubber scrubber)
    {
        NeverKeep(context);
        scrubber.Cancel();
        return Results.Json(scrubber.State, CacheAdminJson.Default.CacheScrub);
    }

    private static IResult GetSettings(HttpContext context, CacheSettings settings) => Answer(context, settings.Read());

    private static async Task<IResult> PutSettingsAsync(HttpContext context, CacheSettings settings, CancellationToken cancellationToken)
    {
        if (context.Request.Headers.IfMatch is not { Count: > 0 } ifMatch)
        {
            return new Problem(ProblemTypes.PreconditionRequired, "Precondition required", StatusCodes.Status428PreconditionRequired,
                "Settings are changed with If-Match: the ETag of the settings that were looked at, so that nobody undoes another's change unseen.");
        }
        var (wanted, problem) = await JsonBody.ReadAsync(context, CacheAdminJson.Default.DictionaryStringJsonElement);
        if (problem is not null) return problem;
        var (changed, refusal) = await settings.ReplaceAsync(wanted!, tag => Preconditions.Lists(ifMatch, tag, isWeakComparison: false), cancellationToken);
        return refusal ?? Answer(context, changed!);
    }

    private static IResult Answer(HttpContext context, CacheSettingsView settings)
    {
        NeverKeep(context);
        context.Response.Headers.ETag = settings.EntityTag;
        return Results.Json(settings, CacheAdminJson.Default.CacheSettingsView);
    }

    internal static Problem Invalid(string detail) => new(ProblemTypes.InvalidParameter, "Invalid parameter", StatusCodes.Status400BadRequest, detail);

    private static void NeverKeep(HttpContext context) => context.Response.Headers.CacheControl = "no-store";
}

/// <summary>The parameters of <c>GET /api/cache/entries</c>.</summary>
internal sealed record EntriesQuery(string? Tier, string? Kind, string? Order, string? After, string? Limit)
{
    /// <summary>What is asked for; null, and the problem, where it cannot be read.</summary>
    public CacheEntryQuery? Read(int maxLimit, out Problem? problem)
    {
        var (tier, order, limit) = (CacheTier.Memory, CacheEntryOrder.Largest, 100);
        EntryKind? kind = null;
        problem = null;
        if (Tier is not null && (!Words.TryRead(Tier, out tier) || tier == CacheTier.Origin)) problem = CacheAdminApi.Invalid("'tier' is memory, disk, or another tier that lists its entries.");
        else if (Kind is not null && !Words.TryRead(Kind, out kind)) problem = CacheAdminApi.Invalid($"'kind' is one of {Words.All<EntryKind>()}.");
        else if (Order is not null && !Words.TryRead(Order, out order)) problem = CacheAdminApi.Invalid($"'order' is one of {Words.All<CacheEntryOrder>()}.");
        else if (Limit is not null && (!int.TryParse(Limit, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > maxLimit))
            problem = CacheAdminApi.Invalid($"'limit' is a number from 1 to {maxLimit}.");
        return problem is null ? new CacheEntryQuery { Tier = tier, Kind = kind, Order = order, After = After, Limit = limit } : null;
    }
}

/// <summary>Members of an enumeration as words of an address or a document: any case, no numbers.</summary>
internal static class Words
{
    public static bool TryRead<T>(string text, out T value) where T : struct, Enum =>
        Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0]);

    public static bool TryRead<T>(string text, out T? value) where T : struct, Enum
    {
        value = TryRead<T>(text, out T found) ? found : null;
        return value is not null;
    }

    public static string All<T>() where T : struct, Enum => string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant();
}
