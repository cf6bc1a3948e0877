using System.CommandLine;
using Cli.Servers;
using Spectre.Console;

namespace Cli.Cache;

/// <summary><c>platform cache scrub</c>.</summary>
internal static class ScrubCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    public static Command Create(Terminal terminal)
    {
        var server = ServerAddress.Option();
        var json = new Option<bool>("--json") { Description = "Write the result as JSON and draw no progress." };
        var command = new Command("scrub", "Reads everything that the disk tier holds and compares it with its checksums; what is damaged is taken out and fetched again when needed.")
        {
            server, json
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetRequiredValue(server), parsed.GetValue(json), terminal, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServerAddress address, bool isJson, Terminal terminal, CancellationToken cancellationToken)
    {
        using var cache = new CacheServer(address);
        var started = await cache.SendAsync(HttpMethod.Post, "scrub", null, cancellationToken);
        var last = isJson || !terminal.IsInteractive
            ? await FollowAsync(cache, started, null, cancellationToken)
            : await terminal.Screen.Progress()
                .AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(context => FollowAsync(cache, started, context.AddTask("Checking"), cancellationToken));
        var state = last.Read(CacheJson.Default.ScrubState);
        if (isJson) terminal.Output.WriteLine(last.Json.GetRawText());
        if (!state.Is("done")) throw new CommandException($"The scrub ended before everything was checked: it {state.State.ToLowerInvariant()}.", "The server's log says why; run it again at any time.");
        if (!isJson)
        {
            terminal.Output.WriteLine(state.Corruptions == 0
                ? $"All {Figures.Count(state.CheckedEntries)} values ({Figures.Bytes(state.CheckedBytes)}) are as they were written."
                : $"{Figures.Count(state.Corruptions)} of {Figures.Count(state.CheckedEntries)} values were damaged and taken out; they are fetched again when needed.");
        }
        return state.Corruptions > 0 ? ExitCodes.Failures : ExitCodes.Success;
    }

    private static async Task<CacheAnswer> FollowAsync(CacheServer cache, CacheAnswer answer, ProgressTask? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = answer.Read(CacheJson.Default.ScrubState);
            if (progress is not null) (progress.MaxValue, progress.Value) = (Math.Max(1, state.TotalBytes), state.CheckedBytes);
            if (!state.Is("running")) return answer;
            try
            {
                await Task.Delay(PollInterval, cancellationToken);
            }
            catch (OperationCanceledException failure)
            {
                throw new CommandException("Interrupted.", "The server goes on scrubbing; the same command shows how far it is.", failure);
            }
            answer = await cache.SendAsync(HttpMethod.Get, "scrub", null, cancellationToken);
        }
    }
}
