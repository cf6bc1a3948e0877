using System.CommandLine;

namespace Cli.Models;

/// <summary><c>platform models import</c>.</summary>
internal static class ImportModelCommand
{
    public static Command Create(Terminal terminal)
    {
        var (store, json) = (ModelShelf.StoreOption(), ModelShelf.JsonOption());
        var file = new Argument<string>("file") { Description = "A package (.platform-model), .onnx, .ort, or weights: .safetensors, .h5, .pt, .pkl." };
        var name = new Option<string?>("--name", "-n") { Description = "What the model is to be called; needed for all but packages. A name of the catalogue brings its description.", HelpName = "name" };
        var graph = new Option<string?>("--graph-of") { Description = "For weights: the model whose graph they are for.", HelpName = "model" };
        var replace = new Option<bool>("--replace") { Description = "Replace a model of that name." };
        var command = new Command("import", "Takes a model in: verified before it is seen, and nothing in it is executed.") { file, name, graph, replace, store, json };
        command.SetAction((parsed, cancellationToken) => ModelShelf.UseAsync(parsed.GetRequiredValue(store), async manager =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!File.Exists(path)) throw new CommandException($"There is no file {path}.", "Name the file to import.");
            var imported = manager.Find(await manager.ImportAsync(path, null, parsed.GetValue(name), parsed.GetValue(graph), parsed.GetValue(replace), null, cancellationToken));
            if (parsed.GetValue(json)) terminal.WriteJson(ModelTables.ToJson(imported));
            else terminal.Output.WriteLine($"{imported.Manifest.Name} {imported.Manifest.Version} is here: {ModelTables.Size(imported)}. A service opens it in a process of its own before it uses it.");
            return ExitCodes.Success;
        }, cancellationToken));
        return command;
    }
}
