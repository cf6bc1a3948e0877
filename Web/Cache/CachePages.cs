using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http.HttpResults;
using Web.Administration;
using Web.Dicomweb;
using Web.Errors;

namespace Web.Cache;

/// <summary>
/// The cache's page: what the tiers do, live; and its forms, which work without scripts. A clear is asked for twice: the first time the page says
/// what would go.
/// </summary>
internal static class CachePages
{
    private const int Shown = 10;

    public static IServiceCollection AddCachePages(this IServiceCollection services) => services.AddTransient<CacheClient>();

    public static IEndpointRouteBuilder MapCachePages(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/cache").ExcludeFromDescription();
        group.MapMethods("", [HttpMethods.Get, HttpMethods.Head], GetPageAsync);
        group.MapGet("/figures", GetFiguresAsync);

        var forms = group.MapGroup("").RequireFormToken();
        forms.MapPost("/clear", ClearAsync);
        forms.MapPost("/scrub", ScrubAsync);
        forms.MapPost("/settings", ChangeSettingsAsync);
        return app;
    }

    private static Task<IResult> GetPageAsync(HttpContext context, CacheClient cache, TimeProvider time, CancellationToken cancellationToken) =>
        PageAsync(context, cache, time, static view => view, StatusCodes.Status200OK, cancellationToken);

    /// <summary>The part of the page that changes by itself.</summary>
    private static async Task<IResult> GetFiguresAsync(CacheClient cache, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return new RazorComponentResult<CacheFigures>(new { View = await LiveAsync(cache, time, cancellationToken) });
        }
        catch (Exception exception) when (exception is ImageApiUnavailableException or RefusedException)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> ClearAsync(HttpContext context, CacheClient cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        if (ClearScope.Read(form["scope"], form["value"]) is not { } scope)
            return await PageAsync(context, cache, time, static view => view with { Failure = "Say what is to be cleared: its name or its UID is missing." }, StatusCodes.Status400BadRequest, cancellationToken);
        return await TryAsync(context, cache, time, async () =>
        {
            if (form["confirm"] != "yes")
            {
                var measured = await cache.MeasureAsync(scope, cancellationToken);
                return await PageAsync(context, cache, time, view => view with { Question = new ClearQuestion(scope, measured) }, StatusCodes.Status200OK, cancellationToken);
            }
            var cleared = await cache.ClearAsync(scope, cancellationToken);
            return Done(context, string.Create(CultureInfo.InvariantCulture, $"cleared-{cleared.Entries}-{cleared.Bytes}"));
        }, cancellationToken);
    }

    private static async Task<IResult> ScrubAsync(HttpContext context, CacheClient cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        return await TryAsync(context, cache, time, async () =>
        {
            if (form["action"] == "stop") await cache.CancelScrubAsync(cancellationToken);
            else await cache.StartScrubAsync(cancellationToken);
            return Done(context, null, "#scrub");
        }, cancellationToken);
    }

    private static async Task<IResult> ChangeSettingsAsync(HttpContext context, CacheClient cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        return await TryAsync(context, cache, time, async () =>
        {
            var (settings, tag) = await cache.GetSettingsAsync(cancellationToken);
            string? Field(string name) => form["action"] == "reset" ? null : (string?)form["set:" + name];
            var (values, wrong) = SettingsForm.Read(settings, Field);
            if (wrong.Count > 0) return await PageAsync(context, cache, time, view => view with { Wrong = wrong, Entered = Field }, StatusCodes.Status400BadRequest, cancellationToken);

            // What shrinks lets values go at once: told before, as with a clear.
            var stats = await cache.GetStatsAsync(cancellationToken);
            if (form["confirm"] != "yes" && ShrinkQuestion.Of(settings, values, stats) is { } question)
                return await PageAsync(context, cache, time, view => view with { Shrink = question, Entered = Field }, StatusCodes.Status200OK, cancellationToken);
            await cache.PutSettingsAsync(values, form["tag"].ToString() is { Length: > 0 } seen ? seen : tag ?? "*", cancellationToken);
            return Done(context, "set", "#settings");
        }, cancellationToken);
    }

    private static async Task<IResult> TryAsync(HttpContext context, CacheClient cache, TimeProvider time, Func<Task<IResult>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (RefusedException refused)
        {
            var said = refused.Status == HttpStatusCode.PreconditionFailed ? "The settings were changed elsewhere meanwhile. These are the current ones; enter yours again." : refused.Message;
            return await PageAsync(context, cache, time, view => view with { Failure = said }, StatusCodes.Status400BadRequest, cancellationToken);
        }
        catch (ImageApiUnavailableException exception)
        {
            return ErrorPages.Unavailable(exception.TimedOut);
        }
    }

    private static async Task<IResult> PageAsync(HttpContext context, CacheClient cache, TimeProvider time, Func<CacheView, CacheView> change, int status, CancellationToken cancellationToken)
    {
        try
        {
            var live = LiveAsync(cache, time, cancellationToken);
            var settings = cache.GetSettingsAsync(cancellationToken);
            var stats = (await live).Stats;
            var tier = stats.Totals.Any(static total => total is { Name: "disk", Entries: > 0 }) ? "disk" : "memory";
            var largest = cache.GetEntriesAsync(tier, "largest", Shown, cancellationToken);
            var hottest = cache.GetEntriesAsync("memory", "hottest", Shown, cancellationToken);
            var view = new CacheView
            {
                Live = await live,
                Settings = (await settings).Value,
                SettingsTag = (await settings).EntityTag ?? "",
                LargestTier = tier,
                Largest = await largest,
                Hottest = await hottest,
                Token = FormToken.For(context),
                Done = DoneMessage.Read(context.Request.Query["done"]),
            };
            return new RazorComponentResult<CachePage>(new { View = change(view) }) { StatusCode = status };
        }
        catch (ImageApiUnavailableException exception)
        {
            return ErrorPages.Unavailable(exception.TimedOut);
        }
        catch (RefusedException)
        {
            return ErrorPages.Unavailable(timedOut: false);
        }
    }

    private static async Task<LiveView> LiveAsync(CacheClient cache, TimeProvider time, CancellationToken cancellationToken)
    {
        var (stats, history, scrub) = (cache.GetStatsAsync(cancellationToken), cache.GetHistoryAsync(cancellationToken), cache.GetScrubAsync(cancellationToken));
        return new LiveView(await stats, await history, await scrub, time.GetUtcNow());
    }

    private static StatusCodeHttpResult Done(HttpContext context, string? done, string anchor = "")
    {
        context.Response.Headers.Location = "/cache" + (done is null ? "" : "?done=" + done) + anchor;
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }
}

/// <summary>What changes by itself.</summary>
public sealed record LiveView(CacheStats Stats, CacheHistory History, CacheScrub Scrub, DateTimeOffset Now);

/// <summary>The whole page.</summary>
public sealed record CacheView
{
    public required LiveView Live { get; init; }
    public required CacheSettings Settings { get; init; }
    public required string SettingsTag { get; init; }
    public required string LargestTier { get; init; }
    public required IReadOnlyList<CacheEntry> Largest { get; init; }
    public required IReadOnlyList<CacheEntry> Hottest { get; init; }
    public required string Token { get; init; }

    /// <summary>What was done just now.</summary>
    public string? Done { get; init; }

    /// <summary>Why nothing was done.</summary>
    public string? Failure { get; init; }

    public ClearQuestion? Question { get; init; }
    public ShrinkQuestion? Shrink { get; init; }

    /// <summary>What is wrong with settings that were entered, by name.</summary>
    public IReadOnlyDictionary<string, string> Wrong { get; init; } = new Dictionary<string, string>();

    /// <summary>What was entered, where it was not taken.</summary>
    public Func<string, string?>? Entered { get; init; }
}

/// <summary>What a clear would free, to be confirmed.</summary>
public sealed record ClearQuestion(ClearScope Scope, CacheCleared Would);

/// <summary>What smaller tiers would let go, to be confirmed.</summary>
public sealed record ShrinkQuestion(IReadOnlyList<(string Tier, long Bytes, long CapacityBytes)> Tiers)
{
    /// <summary>The tiers whose new bound is below what they hold; null where there is none.</summary>
    public static ShrinkQuestion? Of(CacheSettings settings, Dictionary<string, string> wanted, CacheStats stats)
    {
        var tiers = new List<(string, long, long)>();
        foreach (var (tier, name) in new[] { ("memory", "Memory:CapacityBytes"), ("disk", "Disk:CapacityBytes") })
        {
            var after = wanted.GetValueOrDefault(name) ?? settings.Settings.FirstOrDefault(setting => setting.Name == name)?.Configured;
            var held = stats.Totals.FirstOrDefault(total => total.Name == tier)?.Bytes ?? 0;
            if (long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var capacity) && capacity < held) tiers.Add((tier, held - capacity, capacity));
        }
        return tiers.Count == 0 ? null : new ShrinkQuestion(tiers);
    }
}

/// <summary>What the address says was done: figures only, so nothing of it can be anyone's words.</summary>
internal static class DoneMessage
{
    public static string? Read(string? done)
    {
        var parts = done?.Split('-') ?? [];
        return parts switch
        {
            ["set"] => "The settings hold from now on, also after a restart.",
            ["cleared", var entries, var bytes] when long.TryParse(entries, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                => $"Cleared {Figures.Count(count, "value", "values")}, {Figures.Bytes(size)}.",
            _ => null,
        };
    }
}
