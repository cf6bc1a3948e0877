using System.CommandLine;
using Platform.Models;
using Spectre.Console;

namespace Cli.Models;

/// <summary><c>platform models setup</c>.</summary>
internal static class SetupCommand
{
    public static Command Create(Terminal terminal)
    {
        var store = ModelShelf.StoreOption();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask: bring all that ship." };
        var command = new Command("setup", "Asks which models are wanted and brings them into the store.") { store, yes };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var absent = manager.List().Where(static model => model is { IsInCatalogue: true, State: not ModelState.Stored }).ToList();
            terminal.Output.WriteLine($"Models are kept in {manager.Store.Path}.");
            if (absent.Count == 0)
            {
                terminal.Output.WriteLine("All models of the catalogue are here.");
                return ExitCodes.Success;
            }
            var wanted = absent.Where(Ships).ToList();
            if (!parsed.GetValue(yes))
            {
                if (!terminal.CanAsk) throw new CommandException("Nobody can be asked which models are wanted.", "Add --yes for those that ship, or name them: `platform models download <model>`.");
                var prompt = new MultiSelectionPrompt<ModelInfo>().Title("Which models are wanted?").NotRequired()
                    .UseConverter(static model => Markup.Escape($"{model.Manifest.Name}: {model.Manifest.Title} ({ModelTables.Size(model)}, {model.Manifest.Licence})"))
                    .InstructionsText("(space chooses, enter begins)").AddChoices(absent);
                foreach (var model in wanted) prompt.Select(model);
                wanted = await prompt.ShowAsync(terminal.Screen, cancellationToken);
            }
            foreach (var model in wanted)
            {
                await DownloadProgress.ShowAsync(terminal, manager, model.Manifest.Name, cancellationToken);
                terminal.Output.WriteLine($"{model.Manifest.Name} is here.{(model.Manifest.RunsAfter is { } after ? " " + after : "")}");
            }
            terminal.Output.WriteLine(wanted.Count == 0 ? "Nothing was chosen." : $"{wanted.Count} models were brought.");
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }

    private static bool Ships(ModelInfo model) => model.Manifest.Files.All(static file => file.Source is not null);
}
