using System.CommandLine;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Cache;

/// <summary><c>platform cache stats</c>.</summary>
internal static class StatsCommand
{
    public static Command Create(Terminal terminal)
    {
        var server = ServerAddress.Option();
        var kinds = new Option<bool>("--kinds") { Description = "A row for each kind of value within a tier, not only for the tier." };
        var json = new Option<bool>("--json") { Description = "Write everything that the server tells, as JSON." };
        var command = new Command("stats", "Shows what each tier holds and how often it answered.") { server, kinds, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var cache = new CacheServer(parsed.GetRequiredValue(server));
            var answer = await cache.SendAsync(HttpMethod.Get, "stats", null, cancellationToken);
            if (parsed.GetValue(json)) terminal.Output.WriteLine(answer.Json.GetRawText());
            else Show(terminal, answer.Read(CacheJson.Default.CacheStats), parsed.GetValue(kinds));
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Show(Terminal terminal, CacheStats stats, bool withKinds)
    {
        terminal.Output.WriteLine(stats.Requests == 0
            ? "Nothing has been asked for since the server started."
            : $"{Figures.Percent(stats.HitRate)} of {Figures.Count(stats.Requests)} requests and {Figures.Percent(stats.ByteHitRate)} of their bytes were answered without asking an origin.");
        var table = new Table().Border(TableBorder.Simple).AddColumn("tier");
        if (withKinds) table.AddColumn("kind");
        foreach (var name in new[] { "hits", "misses", "hit rate", "values", "bytes", "of", "evicted", "expired", "damaged", "failed" })
            table.AddColumn(new TableColumn(name).RightAligned());
        foreach (var tier in withKinds ? stats.Tiers : stats.Totals)
        {
            List<string> cells = [tier.Tier.ToLowerInvariant()];
            if (withKinds) cells.Add(tier.Kind?.ToLowerInvariant() ?? "");
            cells.AddRange(
            [
                Figures.Count(tier.Hits), Figures.Count(tier.Misses), tier.Hits + tier.Misses == 0 ? "-" : Figures.Percent(tier.HitRate),
                Figures.Count(tier.Entries), Figures.Bytes(tier.Bytes), tier.CapacityBytes is { } capacity ? Figures.Bytes(capacity) : "-",
                Figures.Count(tier.Evictions), Figures.Count(tier.Expirations), Figures.Count(tier.Corruptions), Figures.Count(tier.Errors),
            ]);
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }
        terminal.Results.Write(table);
        foreach (var origin in stats.Origins)
            terminal.Output.WriteLine($"origin {origin.Name}: {Figures.Count(origin.Requests)} requests, {Figures.Bytes(origin.Bytes)}");
    }
}
