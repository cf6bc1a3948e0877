using System.Text.Json;
using Cli.Import;
using Cli.Servers;

namespace Cli.Tests.Support;

/// <summary>What a command did: its exit code and what it wrote.</summary>
internal sealed record Run(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public long Number(string name) => Json.GetProperty(name).GetInt64();

    public static async Task<Run> CommandAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var exitCode = await CommandLine.RunAsync(args, new Terminal(output, error, isInteractive: false));
        return new Run(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>An import with options that the command line does not offer, as JSON.</summary>
    public static async Task<Run> ImportAsync(string server, string[] paths, Func<ImportOptions, ImportOptions>? change = null, CancellationToken cancellationToken = default)
    {
        Assert.True(ServerAddress.TryParse(server, out var address));
        var options = new ImportOptions { Server = address!, Paths = paths, RetryDelay = TimeSpan.FromMilliseconds(20) };
        using StringWriter output = new(), error = new();
        var exitCode = await ImportCommand.RunAsync(change?.Invoke(options) ?? options, isJson: true, new Terminal(output, error, isInteractive: false), cancellationToken);
        return new Run(exitCode, output.ToString(), error.ToString());
    }
}
