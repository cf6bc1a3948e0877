using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Cli.Servers;

namespace Cli.Models;

/// <summary><c>platform models optimize</c>: the one command that needs a running service, because that has the runtime and the device.</summary>
internal static class OptimizeCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static Command Create(Terminal terminal)
    {
        var (json, model) = (ModelShelf.JsonOption(), ModelShelf.ModelArgument());
        var server = new Option<string>("--server", "-s") { Description = "InferenceApi's address: it has the runtime that optimises.", HelpName = "url", DefaultValueFactory = static _ => "http://localhost:5102" };
        var command = new Command("optimize", "Has the service keep a model as its runtime optimised it, when that loads faster.") { model, server, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!ServerAddress.TryParse(parsed.GetRequiredValue(server), out var address)) throw new CommandException($"'{parsed.GetRequiredValue(server)}' is no address of a server.", "An example: http://localhost:5102");
            using var connection = new ServerConnection(address!, connections: 1);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address!.Root, "api/models/cache/optimize")) { Content = JsonContent.Create(new Dictionary<string, string> { ["model"] = parsed.GetRequiredValue(model) }) };
                using var response = await connection.SendAsync(request, patience.Token);
                if (!response.IsSuccessStatusCode) throw new CommandException($"The service refuses: {await ServerConnection.DescribeAsync(response, patience.Token)}", "`platform models list` shows what is here.");
                var answer = await response.Content.ReadFromJsonAsync<JsonObject>(patience.Token) ?? [];
                if (parsed.GetValue(json)) terminal.WriteJson(answer);
                else terminal.Output.WriteLine((bool?)answer["kept"] == true ? "The optimised form loads faster and is kept." : "The optimised form does not load faster: it is not kept.");
                return ExitCodes.Success;
            }
            catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
            {
                throw connection.Unreachable(new TimeoutException($"it takes longer than {Patience.TotalMinutes:0} min", failure));
            }
            catch (HttpRequestException failure)
            {
                throw connection.Unreachable(failure);
            }
        });
        return command;
    }
}
