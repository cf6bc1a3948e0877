using System.CommandLine;
using System.Text.Json.Nodes;
using Cli.Cache;
using Platform.Models;
using Spectre.Console;

namespace Cli.Models;

/// <summary><c>platform models clear</c>.</summary>
internal static class ClearModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var model = new Option<string?>("--model", "-m") { Description = "Only this model; else all that are neither pinned nor in use.", HelpName = "model" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var pins = new Option<bool>("--forget-digest") { Description = "Also forget the digest that was pinned at the model's first download: the next may bring other bytes. Needs --model." };
        var command = new Command("clear", "Removes models from the store; what is in use stays. Tells what goes and asks first.") { model, pins, yes, store, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(pins) && result.GetValue(model) is null) result.AddError("--forget-digest needs --model.");
        });
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var name = parsed.GetValue(model);
            if (name is not null && parsed.GetValue(pins)) manager.Store.ForgetPins(manager.Find(name).Manifest);
            var going = manager.Store.List().Where(stored => name is null ? !stored.IsPinned : string.Equals(stored.Name, name, StringComparison.OrdinalIgnoreCase)).ToList();
            if (name is not null && going.Count == 0) throw new ModelException(ModelFault.NotFound, $"{name} is not in the store.");
            if (!parsed.GetValue(yes) && going.Count > 0)
            {
                var told = $"{going.Count} models, {Figures.Bytes(going.Sum(static stored => stored.Bytes))}: {string.Join(", ", going.Select(static stored => stored.Name))}.";
                if (!terminal.CanAsk) throw new CommandException(told, "Add --yes to remove them.");
                if (!await new ConfirmationPrompt(Markup.Escape(told) + " Remove them?") { DefaultValue = false }.ShowAsync(terminal.Screen, cancellationToken))
                    throw new CommandException("Nothing was removed.", "It was your answer.");
            }
            var (removed, freed) = await manager.ClearAsync(name, cancellationToken);
            if (parsed.GetValue(json)) terminal.WriteJson(new JsonObject { ["removed"] = new JsonArray([.. removed.Select(static gone => (JsonNode)gone)]), ["freedBytes"] = freed });
            else terminal.Output.WriteLine($"Removed {removed.Length} models: {Figures.Bytes(freed)} are free.");
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }
}
