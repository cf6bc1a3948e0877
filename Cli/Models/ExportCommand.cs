using System.CommandLine;
using System.Text.Json.Nodes;
using Cli.Cache;
using Platform.Models;

namespace Cli.Models;

/// <summary><c>platform models export</c>.</summary>
internal static class ExportCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json, model) = (ModelShelf.StoreOption(), ModelShelf.JsonOption(), ModelShelf.ModelArgument());
        var format = new Option<string>("--format", "-f") { Description = "package (the whole model), or its weights as safetensors, h5, pt or pkl.", DefaultValueFactory = static _ => "package", HelpName = "format" };
        format.AcceptOnlyFromAmong(["package", .. WeightFormats.Names]);
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; by default named after the model, in this folder. One that is there is not written over.", HelpName = "file" };
        var command = new Command("export", "Writes a model as one file, or its weights in another format.") { model, format, output, store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var known = manager.Find(parsed.GetRequiredValue(model)).Manifest;
            var asked = parsed.GetRequiredValue(format);
            var path = Path.GetFullPath(parsed.GetValue(output) ?? (asked == "package" ? ModelManager.PackageNameOf(known.Name, known.Version) : $"{known.Name}.{asked}"));
            if (File.Exists(path)) throw new CommandException($"{path} is there already.", "Name another file with --output.");
            var temporary = path + ".part";
            try
            {
                await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite))
                {
                    if (WeightFormats.TryParse(asked, out var weights)) await manager.ExportWeightsAsync(known.Name, weights, file, cancellationToken);
                    else await manager.ExportPackageAsync(known.Name, file, cancellationToken);
                }
                File.Move(temporary, path);
            }
            finally
            {
                File.Delete(temporary);
            }
            var bytes = new FileInfo(path).Length;
            if (parsed.GetValue(json)) terminal.WriteJson(new JsonObject { ["model"] = known.Name, ["format"] = asked, ["file"] = path, ["bytes"] = bytes });
            else terminal.Output.WriteLine($"{known.Name} as {asked}: {path}, {Figures.Bytes(bytes)}.");
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }
}
