using System.CommandLine;
using System.Text.Json.Nodes;

namespace Cli.Models;

/// <summary><c>platform models download</c>.</summary>
internal static class DownloadCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var models = new Argument<string[]>("model") { Description = "The models' names; case does not matter.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("download", "Brings models into the store. One that is there whole costs nothing; one that broke off is gone on with.") { models, store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var done = new JsonArray();
            foreach (var name in parsed.GetRequiredValue(models))
            {
                await DownloadProgress.ShowAsync(terminal, manager, name, cancellationToken);
                var model = manager.Find(name);
                done.Add((JsonNode)ModelTables.ToJson(model));
                if (parsed.GetValue(json)) continue;
                terminal.Output.WriteLine($"{model.Manifest.Name} {model.Manifest.Version} is here: {ModelTables.Size(model)}.");
                if (model.Manifest.RunsAfter is { } after) terminal.Output.WriteLine(after);
            }
            if (parsed.GetValue(json)) terminal.WriteJson(done);
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }
}
