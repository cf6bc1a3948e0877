using System.CommandLine;
using System.Text.Json.Nodes;
using Cli.Cache;
using Platform.Models;

namespace Cli.Models;

/// <summary><c>platform models convert</c>.</summary>
internal static class ConvertCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var from = new Argument<string>("from") { Description = "A file of weights (.safetensors, .h5, .pt, .pkl), or a model's name." };
        var to = new Argument<string?>("to") { Description = "The file to write; its ending says the format.", Arity = ArgumentArity.ZeroOrOne };
        var format = new Option<string?>("--format", "-f") { Description = "For a model: the format that its weights are kept in too. A damaged model is made whole from it.", HelpName = "format" };
        format.AcceptOnlyFromAmong([.. WeightFormats.Names]);
        var command = new Command("convert", "Turns a file of weights into another format, or keeps a stored model's weights in another format too.") { from, to, format, store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var (source, target) = (parsed.GetRequiredValue(from), parsed.GetValue(to));
            long bytes;
            if (target is null)
            {
                if (!WeightFormats.TryParse(parsed.GetValue(format), out var kept)) throw new CommandException("It is not said into what.", "Name a file to write, or for a model --format.");
                bytes = await manager.KeepFormatAsync(source, kept, cancellationToken);
            }
            else
            {
                if (!WeightFormats.TryParsePath(source, out var fromFormat) || !WeightFormats.TryParsePath(target, out var toFormat))
                    throw new CommandException("Both files must be .safetensors, .h5, .pt or .pkl.", "`platform models export` writes the weights of a model.");
                if (!File.Exists(source)) throw new CommandException($"There is no file {source}.", "Name the file to convert.");
                if (File.Exists(target)) throw new CommandException($"{target} is there already.", "Name another file.");
                var temporary = target + ".part";
                try
                {
                    await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite)) await ModelManager.ConvertWeightsAsync(source, fromFormat, file, toFormat, cancellationToken);
                    File.Move(temporary, target);
                }
                finally
                {
                    File.Delete(temporary);
                }
                bytes = new FileInfo(target).Length;
            }
            if (parsed.GetValue(json)) terminal.WriteJson(new JsonObject { ["from"] = source, ["to"] = target ?? parsed.GetValue(format), ["bytes"] = bytes });
            else terminal.Output.WriteLine(target is null ? $"{source} is kept as {parsed.GetValue(format)} too: {Figures.Bytes(bytes)}." : $"{target}: {Figures.Bytes(bytes)}.");
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }
}
