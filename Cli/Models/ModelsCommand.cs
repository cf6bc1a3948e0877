using System.CommandLine;
using Platform.Models;

namespace Cli.Models;

/// <summary><c>platform models</c>: the models of this machine. Works on the store itself, under its locks, whether a service runs or not.</summary>
internal static class ModelsCommand
{
    public static Command Create(Terminal terminal) => new("models", "Shows, fetches, checks and exchanges models; works on the store of this machine, with or without a running service.")
    {
        SetupCommand.Create(terminal),
        ListCommand.Create(terminal),
        InfoCommand.Create(terminal),
        DownloadCommand.Create(terminal),
        ExportCommand.Create(terminal),
        ImportModelCommand.Create(terminal),
        ConvertCommand.Create(terminal),
        VerifyModelsCommand.Create(terminal),
        OptimizeCommand.Create(terminal),
        ClearModelsCommand.Create(terminal)
    };
}

/// <summary>Where the commands work: which store, and how failures are told.</summary>
internal static class ModelShelf
{
    public static Option<string> StoreOption() => new("--store")
    {
        Description = "The store's folder; the service's setting InferenceApi:Models:Path.",
        HelpName = "folder",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("InferenceApi__Models__Path") is { Length: > 0 } path ? path : ModelStoreOptions.DefaultPath,
    };

    public static Option<bool> JsonOption() => new("--json") { Description = "Write the result as JSON." };

    public static Argument<string> ModelArgument() => new("model") { Description = "The model's name; case does not matter." };

    /// <summary>Does something with the manager and tells its failures so that a person can act on them.</summary>
    public static async Task<T> UseAsync<T>(string store, Func<ModelManager, Task<T>> act, CancellationToken cancellationToken)
    {
        using var http = new HttpMessageInvoker(ModelFetcher.CreateHandler());
        var manager = new ModelManager(new ModelStore(new ModelStoreOptions { Path = store }), new ModelFetcher(http, new ModelFetchOptions()), ModelCatalogue.ShippedFolder);
        try
        {
            return await act(manager);
        }
        catch (ModelException failure)
        {
            throw new CommandException(failure.Message, Advice(failure.Fault), failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(failure.Message, "Is the folder there, and may you write to it?", failure);
        }
        catch (OperationCanceledException failure) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommandException("Interrupted.", "What had arrived is kept: the same command goes on where it was.", failure);
        }
    }

    private static string Advice(ModelFault fault) => fault switch
    {
        ModelFault.NotFound => "`platform models list` shows what there is.",
        ModelFault.Busy => "Where a service holds the model, remove it there: the page /models, or DELETE /api/models/{model}.",
        ModelFault.Exists => "Add --replace, or give another name with --name.",
        ModelFault.NoRoom => "`platform models clear --model <name>` makes room.",
        ModelFault.Unreachable => "Is there a connection to the network? What had arrived is kept: the same command goes on where it was.",
        ModelFault.DigestMismatch => "The bytes are not those that are expected. Do not use them; ask whoever publishes the model.",
        ModelFault.Refused => "Only https, and http to this machine, are asked.",
        _ => "Nothing was changed.",
    };
}
