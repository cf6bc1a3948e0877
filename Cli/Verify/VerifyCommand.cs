using System.CommandLine;
using System.Text.Json;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Verify;

/// <summary><c>platform verify</c>.</summary>
internal static class VerifyCommand
{
    private const int ListedProblems = 50;

    public static Command Create(Terminal terminal)
    {
        var server = ServerAddress.Option();
        var content = new Option<bool>("--content") { Description = "Read every stored byte and compare it with the digest noted when it was stored. Takes as long as reading the disk." };
        var json = new Option<bool>("--json") { Description = "Write every problem and the summary as JSON, one object a line, and draw no progress." };
        var command = new Command("verify", "Compares the server's catalog with what is stored: nothing missing, nothing changed, nothing that no one can find.")
        {
            server, content, json
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetRequiredValue(server), parsed.GetValue(content), parsed.GetValue(json), terminal, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServerAddress address, bool content, bool isJson, Terminal terminal, CancellationToken cancellationToken)
    {
        using var server = new ServerConnection(address, connections: 1);
        try
        {
            if (isJson || !terminal.IsInteractive) return await VerifyAsync(server, content, isJson, terminal, null, cancellationToken);
            return await terminal.Screen.Progress()
                .AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .StartAsync(context => VerifyAsync(server, content, isJson, terminal, context.AddTask("Comparing"), cancellationToken));
        }
        catch (OperationCanceledException failure) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommandException("Interrupted.", "Nothing was changed; run it again at any time.", failure);
        }
    }

    private static async Task<int> VerifyAsync(ServerConnection server, bool content, bool isJson, Terminal terminal, ProgressTask? progress, CancellationToken cancellationToken)
    {
        long problems = 0;
        VerifyLine? summary = null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address.Root, "api/catalog/verify" + (content ? "?content=true" : "")));
            request.Headers.Accept.ParseAdd("application/x-ndjson");
            using var response = await server.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode) throw await server.RefusedAsync(response, cancellationToken);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (summary is null && await lines.ReadLineAsync(cancellationToken) is { } text)
            {
                var line = VerifyLine.Read(text);
                if (line?.Type == "progress" && progress is not null) (progress.MaxValue, progress.Value) = (Math.Max(1, line.Total), line.Checked);
                if (line?.Type == "problem" && (isJson || ++problems <= ListedProblems)) Tell(terminal, line, isJson);
                if (line?.Type == "summary") summary = line;
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw server.Unreachable(failure);
        }

        if (summary is null) throw new CommandException("The server broke off before it had compared everything.", "Its log says why; then run the command again.");
        if (isJson) terminal.Output.WriteLine(JsonSerializer.Serialize(summary, VerifyJson.Default.VerifyLine));
        else Summarise(terminal, summary, problems);
        return summary.Problems > 0 ? ExitCodes.Failures : ExitCodes.Success;
    }

    private static void Tell(Terminal terminal, VerifyLine problem, bool isJson)
    {
        if (isJson) terminal.Output.WriteLine(JsonSerializer.Serialize(problem, VerifyJson.Default.VerifyLine));
        else terminal.Screen.MarkupLineInterpolated($"[red]{problem.Kind}[/] {problem.Instance ?? problem.Study ?? problem.Origin}: {problem.Detail}");
    }

    private static void Summarise(Terminal terminal, VerifyLine summary, long problems)
    {
        if (problems > ListedProblems) terminal.Screen.WriteLine($"... and {problems - ListedProblems:N0} more; --json lists them all.");
        terminal.Output.WriteLine(summary.Problems == 0
            ? $"All {summary.Checked:N0} instances are as the catalog says."
            : $"{summary.Problems:N0} problems in {summary.Checked:N0} instances.");
    }
}
