using System.CommandLine;
using System.Net.Http.Json;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Cache;

/// <summary><c>platform cache settings</c>.</summary>
internal static class SettingsCommand
{
    private const string AsConfigured = "default";

    public static Command Create(Terminal terminal)
    {
        var changes = new Argument<string[]>("name=value")
        {
            Description = "Settings to change at once, such as Memory:CapacityBytes=128MiB or Disk:Ttl=48h; the value 'default' goes back to what is configured.",
            Arity = ArgumentArity.ZeroOrMore
        };
        changes.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (token.Value.IndexOf('=', StringComparison.Ordinal) < 1)
                    result.AddError($"'{token.Value}' is not name=value.");
        });
        var server = ServerAddress.Option();
        var reset = new Option<bool>("--reset") { Description = "Go back to what is configured, all of it." };
        var json = new Option<bool>("--json") { Description = "Write the settings as JSON." };
        var command = new Command("settings", "Shows the sizes and times of the tiers, and changes them while the server runs. Changes outlive a restart.") { changes, server, reset, json };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetRequiredValue(server), parsed.GetValue(changes) ?? [], parsed.GetValue(reset), parsed.GetValue(json), terminal, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServerAddress address, string[] changes, bool isReset, bool isJson, Terminal terminal, CancellationToken cancellationToken)
    {
        using var cache = new CacheServer(address);
        var answer = await cache.SendAsync(HttpMethod.Get, "settings", null, cancellationToken);
        if (changes.Length > 0 || isReset)
        {
            var wanted = Apply(answer.Read(CacheJson.Default.CacheSettings), changes, isReset);
            answer = await cache.SendAsync(HttpMethod.Put, "settings", JsonContent.Create(wanted, CacheJson.Default.DictionaryStringString), cancellationToken, ifMatch: answer.EntityTag);
        }
        if (isJson) terminal.Output.WriteLine(answer.Json.GetRawText());
        else Show(terminal, answer.Read(CacheJson.Default.CacheSettings));
        return ExitCodes.Success;
    }

    private static Dictionary<string, string> Apply(CacheSettings current, string[] changes, bool isReset)
    {
        var wanted = isReset
            ? new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
            : current.Settings.Where(static setting => setting is { IsSet: true, Value: not null }).ToDictionary(static setting => setting.Name, static setting => setting.Value!, StringComparer.OrdinalIgnoreCase);
        foreach (var change in changes)
        {
            var at = change.IndexOf('=', StringComparison.Ordinal);
            var (name, text) = (change[..at].Trim(), change[(at + 1)..].Trim());
            var setting = current.Settings.FirstOrDefault(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw new CommandException($"There is no setting '{name}'.", "`platform cache settings` lists those there are.");
            if (text.Equals(AsConfigured, StringComparison.OrdinalIgnoreCase)) wanted.Remove(setting.Name);
            else
            {
                wanted[setting.Name] = Figures.Parse(text, setting.Unit) ?? throw new CommandException($"'{text}' is no value of {setting.Name}.", setting.Unit switch
                {
                    "bytes" => "Give a size such as 128MiB, 20GB or 1000000.",
                    "duration" => "Give a duration such as 30s, 15min, 48h, 7d or 1.00:00:00.",
                    _ => "Give a whole number.",
                });
            }
        }
        return wanted;
    }

    private static void Show(Terminal terminal, CacheSettings settings)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("setting").AddColumn(new TableColumn("value").RightAligned()).AddColumn(new TableColumn("configured").RightAligned()).AddColumn("");
        foreach (var setting in settings.Settings)
        {
            table.AddRow(new[] { setting.Name, Figures.Value(setting.Value, setting.Unit), Figures.Value(setting.Configured, setting.Unit), setting.IsSet ? "set at run time" : "" }.Select(Markup.Escape).ToArray());
        }
        terminal.Results.Write(table);
    }
}
