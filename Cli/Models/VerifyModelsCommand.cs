using System.CommandLine;
using System.Text.Json.Nodes;
using Cli.Cache;
using Platform.Models;

namespace Cli.Models;

/// <summary><c>platform models verify</c>.</summary>
internal static class VerifyModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var repair = new Option<bool>("--repair") { Description = "Mend what is wrong: rebuild, fetch again, remove what belongs to nothing." };
        var model = new Option<string?>("--model", "-m") { Description = "Only this model.", HelpName = "model" };
        var command = new Command("verify", "Reads every byte of the store and compares it with its digest.") { repair, model, store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var findings = await manager.VerifyAsync(parsed.GetValue(model), parsed.GetValue(repair), null, cancellationToken);
            if (parsed.GetValue(json))
            {
                terminal.WriteJson(new JsonObject
                {
                    ["sound"] = findings.IsEmpty,
                    ["findings"] = new JsonArray([.. findings.Select(static finding => new JsonObject
                    {
                        ["problem"] = finding.Problem.ToString().ToLowerInvariant(),
                        ["model"] = finding.Model,
                        ["item"] = finding.Item,
                        ["bytes"] = finding.Bytes,
                        ["repair"] = finding.Repair.ToString().ToLowerInvariant(),
                    })]),
                });
            }
            else if (findings.IsEmpty) terminal.Output.WriteLine("Every byte is what it should be.");
            else
            {
                terminal.WriteTable(["model", "what", "problem", "size", "done"], findings.Select(static finding => (string[])
                    [finding.Model ?? "-", finding.Item, finding.Problem.ToString().ToLowerInvariant(), Figures.Bytes(finding.Bytes), Done(finding.Repair)]));
                if (!parsed.GetValue(repair)) terminal.Output.WriteLine("`platform models verify --repair` mends it.");
            }
            return findings.All(static finding => finding.Repair is StoreRepair.Removed or StoreRepair.Rebuilt or StoreRepair.Fetched) ? ExitCodes.Success : ExitCodes.Failures;
        }, cancellationToken));
        return command;
    }

    private static string Done(StoreRepair repair) => repair switch
    {
        StoreRepair.None => "nothing",
        StoreRepair.Removed => "removed",
        StoreRepair.Rebuilt => "rebuilt from another format",
        StoreRepair.Fetched => "fetched again",
        StoreRepair.ModelRemoved => "model removed; download it again",
        _ => "in use: later",
    };
}
