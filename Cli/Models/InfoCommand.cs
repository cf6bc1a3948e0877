using System.CommandLine;
using System.Text.Json.Nodes;
using Cli.Cache;

namespace Cli.Models;

/// <summary><c>platform models info</c>.</summary>
internal static class InfoCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var detailed = new Option<bool>("--detailed") { Description = "Also each model's files and digests." };
        var command = new Command("info", "Shows the store: its folder, what it holds, how much room it takes, whether it is sound.") { store, detailed, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), models =>
        {
            var info = models.GetInfo();
            var stored = models.List().Where(static model => model.Stored is not null).ToList();
            if (parsed.GetValue(json))
            {
                terminal.WriteJson(new JsonObject
                {
                    ["directory"] = info.Directory,
                    ["models"] = info.Models,
                    ["files"] = info.Files,
                    ["bytes"] = info.Bytes,
                    ["capacityBytes"] = info.CapacityBytes,
                    ["freeBytes"] = info.FreeBytes,
                    ["partialBytes"] = info.PartialBytes,
                    ["optimizedBytes"] = info.OptimisedBytes,
                    ["damagedBytes"] = info.DamagedBytes,
                    ["health"] = info.Problems.IsEmpty ? "ok" : "broken",
                    ["problems"] = new JsonArray([.. info.Problems.Select(static problem => (JsonNode)problem)]),
                    ["formats"] = new JsonArray([.. info.Formats.Select(static format => new JsonObject { ["format"] = format.Format, ["bytes"] = format.Bytes })]),
                    ["perModel"] = new JsonArray([.. stored.Select(ModelTables.ToJson)]),
                });
                return Task.FromResult(info.Problems.IsEmpty ? ExitCodes.Success : ExitCodes.Failures);
            }

            terminal.WriteTable(["store", info.Directory],
            [
                ["models", Figures.Count(info.Models)],
                ["files", Figures.Count(info.Files)],
                ["size", Figures.Bytes(info.Bytes) + (info.CapacityBytes > 0 ? $" of {Figures.Bytes(info.CapacityBytes)}" : "")],
                ["optimised", Figures.Bytes(info.OptimisedBytes)],
                ["on their way", Figures.Bytes(info.PartialBytes)],
                ["put aside as damaged", Figures.Bytes(info.DamagedBytes)],
                ["free on the disk", Figures.Bytes(info.FreeBytes)],
                .. info.Formats.Select(static format => (string[])["." + format.Format, Figures.Bytes(format.Bytes)]),
                ["health", info.Problems.IsEmpty ? "sound as far as names and lengths tell" : "broken: `platform models verify --repair` mends it"],
            ]);
            foreach (var problem in info.Problems) terminal.Output.WriteLine(problem);
            if (parsed.GetValue(detailed))
            {
                terminal.WriteTable(["model", "version", "file", "size", "SHA-256", "from", "last used"],
                    stored.SelectMany(static model => model.Stored!.Files.Select(file => (string[])
                        [model.Manifest.Name, model.Stored.Version, file.Path, Figures.Bytes(file.Bytes), file.Sha256, model.Stored.From, model.Stored.LastUsedAt.ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture)])));
            }
            return Task.FromResult(info.Problems.IsEmpty ? ExitCodes.Success : ExitCodes.Failures);
        }, cancellationToken));
        return command;
    }
}
