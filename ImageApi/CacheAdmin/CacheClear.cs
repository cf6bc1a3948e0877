using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ImageApi.HttpCaching;
using ImageApi.Problems;
using Platform.TieredCache;

namespace ImageApi.CacheAdmin;

/// <summary>
/// The body of <c>POST /api/cache/clear</c>: one of the scopes, or none for everything. A member that is not known is refused: a typing error must
/// not clear more than was meant.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CacheClearRequest
{
    /// <summary>False, or absent: tell what would go, and let nothing go.</summary>
    public bool Confirm { get; init; }

    /// <summary>A tier: memory, redis, disk.</summary>
    public string? Tier { get; init; }

    /// <summary>A kind of value: frame, metadata, file, ...</summary>
    public string? Kind { get; init; }

    /// <summary>A Study Instance UID.</summary>
    public string? Study { get; init; }

    /// <summary>A Series Instance UID.</summary>
    public string? Series { get; init; }

    /// <summary>An origin's name.</summary>
    public string? Origin { get; init; }

    /// <summary>What is to go; null, and the problem, where that cannot be told.</summary>
    public CacheScope? Scope(out Problem? problem)
    {
        problem = null;
        var given = new[] { Tier, Kind, Study, Series, Origin }.Count(static scope => scope is not null);
        if (given > 1) problem = CacheAdminApi.Invalid("Name one of tier, kind, study, series and origin, or none for everything.");
        else if (given == 0) return CacheScope.All;
        else if (Study is not null) return CacheScope.Tag(CacheTags.Study(Study));
        else if (Series is not null) return CacheScope.Tag(CacheTags.Series(Series));
        else if (Origin is not null) return CacheScope.Tag(CacheTags.Origin(Origin));
        else if (Tier is not null && Words.TryRead(Tier, out CacheTier tier) && tier != CacheTier.Origin) return CacheScope.Tier(tier);
        else if (Kind is not null && Words.TryRead(Kind, out EntryKind kind)) return CacheScope.Kind(kind);
        else if (Kind is not null) problem = CacheAdminApi.Invalid($"'kind' is one of {Words.All<EntryKind>()}.");
        else problem = CacheAdminApi.Invalid("'tier' is memory, redis or disk; the origin is not ours to clear.");
        return null;
    }
}

/// <summary>What a clear freed.</summary>
internal sealed record CacheCleared(long Entries, long Bytes, IReadOnlyList<CacheClearFigures> Tiers)
{
    public static CacheCleared Of(CacheClearReport report) => new(report.Entries, report.Bytes, report.Tiers);

    /// <summary>The problem that answers a clear nobody confirmed: what would go, in figures.</summary>
    public static Problem AskFirst(CacheClearReport report) => new(ProblemTypes.ConfirmationRequired, "Confirmation required", StatusCodes.Status400BadRequest, Consequence(report))
    {
        Members = new Dictionary<string, JsonNode>
        {
            ["entries"] = report.Entries,
            ["bytes"] = report.Bytes,
            ["tiers"] = new JsonArray([.. report.Tiers.Select(static tier => (JsonNode)new JsonObject { ["tier"] = tier.Tier.ToString(), ["entries"] = tier.Entries, ["bytes"] = tier.Bytes })]),
        },
    };

    private static string Consequence(CacheClearReport report) => report.Entries == 0
        ? "There is nothing to clear."
        : string.Create(CultureInfo.InvariantCulture, $"This frees {Size(report.Bytes)}: {report.Entries:N0} {(report.Entries == 1 ? "value" : "values")}. The next look at them asks the origin.");

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
    };
}
