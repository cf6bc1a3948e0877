using System.CommandLine;
using System.Text.Json.Nodes;

namespace Cli.Models;

/// <summary><c>platform models list</c>.</summary>
internal static class ListCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var command = new Command("list", "Lists the models that are known: those here, and those that can be fetched.") { store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), models =>
        {
            var all = models.List();
            if (parsed.GetValue(json))
            {
                terminal.WriteJson(new JsonObject
                {
                    ["models"] = new JsonArray([.. all.Select(ModelTables.ToJson)]),
                    ["problems"] = new JsonArray([.. models.Catalogue.Problems.Select(static problem => (JsonNode)problem)]),
                });
            }
            else
            {
                terminal.WriteTable(["model", "version", "task", "state", "size", "licence", "title"],
                    all.Select(static model => (string[])[model.Manifest.Name, model.Stored?.Version ?? model.Manifest.Version, model.Manifest.Task.ToString().ToLowerInvariant(), ModelTables.State(model), ModelTables.Size(model), model.Manifest.Licence, model.Manifest.Title]));
                foreach (var problem in models.Catalogue.Problems) terminal.Error.WriteLine(problem);
            }
            return Task.FromResult(models.Catalogue.Problems.IsEmpty ? ExitCodes.Success : ExitCodes.Failures);
        }, cancellationToken));
        return command;
    }
}
