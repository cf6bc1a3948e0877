using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Cache;

/// <summary><c>platform cache clear</c>.</summary>
internal static class ClearCommand
{
    private const int BadRequest = 400;

    public static Command Create(Terminal terminal)
    {
        var server = ServerAddress.Option();
        Dictionary<string, Option<string>> scopes = new(StringComparer.Ordinal)
        {
            ["tier"] = new("--tier") { Description = "Only this tier: memory, redis, disk.", HelpName = "tier" },
            ["kind"] = new("--kind") { Description = "Only values of this kind: frame, metadata, file, ...", HelpName = "kind" },
            ["study"] = new("--study") { Description = "Only what belongs to this study.", HelpName = "uid" },
            ["series"] = new("--series") { Description = "Only what belongs to this series.", HelpName = "uid" },
            ["origin"] = new("--origin") { Description = "Only what came from this origin.", HelpName = "name" },
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var json = new Option<bool>("--json") { Description = "Write what was freed as JSON." };
        var command = new Command("clear", "Forgets cached values; nothing stored is touched, and what is needed again is fetched again. Tells what it frees and asks first.") { server };
        foreach (var scope in scopes.Values) command.Add(scope);
        command.Add(yes);
        command.Add(json);
        command.Validators.Add(result =>
        {
            if (scopes.Values.Count(scope => result.GetResult(scope) is { Implicit: false }) > 1) result.AddError("Name one of --tier, --kind, --study, --series, --origin, or none for everything.");
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(server),
            scopes.Where(scope => parsed.GetValue(scope.Value) is not null).ToDictionary(scope => scope.Key, scope => parsed.GetValue(scope.Value)!),
            parsed.GetValue(yes), parsed.GetValue(json), terminal, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServerAddress address, Dictionary<string, string> scope, bool isSure, bool isJson, Terminal terminal, CancellationToken cancellationToken)
    {
        using var cache = new CacheServer(address);
        if (!isSure)
        {
            var measured = await cache.SendAsync(HttpMethod.Post, "clear", Body(scope, isConfirmed: false), cancellationToken, accept: static response => (int)response.StatusCode == BadRequest);
            if (!measured.Json.TryGetProperty("type", out var type) || type.GetString() != "urn:platform:problem:confirmation-required")
                throw new CommandException($"The server refuses: {Detail(measured.Json)}", "`platform cache clear --help` shows what can be cleared.");
            if (measured.Read(CacheJson.Default.ClearReport).Entries == 0)
            {
                if (isJson) terminal.Output.WriteLine("""{"entries":0,"bytes":0,"tiers":[]}""");
                else terminal.Output.WriteLine("There is nothing to clear.");
                return ExitCodes.Success;
            }
            if (!terminal.CanAsk) throw new CommandException(Detail(measured.Json), "Add --yes to clear it.");
            if (!await new ConfirmationPrompt(Markup.Escape(Detail(measured.Json)) + " Clear it?") { DefaultValue = false }.ShowAsync(terminal.Screen, cancellationToken))
                throw new CommandException("Nothing was cleared.", "It was your answer.");
        }

        var answer = await cache.SendAsync(HttpMethod.Post, "clear", Body(scope, isConfirmed: true), cancellationToken);
        var report = answer.Read(CacheJson.Default.ClearReport);
        if (isJson) terminal.Output.WriteLine(answer.Json.GetRawText());
        else Show(terminal, report);
        return ExitCodes.Success;
    }

    private static void Show(Terminal terminal, ClearReport report)
    {
        terminal.Output.WriteLine($"Freed {Figures.Bytes(report.Bytes)}: {Figures.Count(report.Entries)} values.");
        foreach (var tier in report.Tiers.Where(static tier => tier.Entries > 0))
            terminal.Output.WriteLine($"  {tier.Tier.ToLowerInvariant()}: {Figures.Count(tier.Entries)} values, {Figures.Bytes(tier.Bytes)}");
    }

    private static JsonContent Body(Dictionary<string, string> scope, bool isConfirmed)
    {
        var members = scope.ToDictionary(static member => member.Key, static member => (object)member.Value);
        members["confirm"] = isConfirmed;
        return JsonContent.Create(members);
    }

    private static string Detail(JsonElement problem) =>
        problem.TryGetProperty("detail", out var detail) && detail.ValueKind == JsonValueKind.String ? detail.GetString()! : "it does not say why.";
}
