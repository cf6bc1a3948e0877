using System.CommandLine;
using System.CommandLine.Parsing;
using Cli.Servers;

namespace Cli.Import;

/// <summary><c>platform import</c>.</summary>
internal static class ImportCommand
{
    public static Command Create(Terminal terminal)
    {
        var paths = new Argument<string[]>("path")
        {
            Description = "DICOM files, and folders with DICOM files anywhere below them. Other files are passed over and counted.",
            Arity = ArgumentArity.OneOrMore
        };
        paths.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (!Path.Exists(token.Value))
                    result.AddError($"There is no file or folder '{token.Value}'.");
        });
        var server = ServerAddress.Option();
        var connections = Bounded(new Option<int>("--connections", "-c") { Description = "Requests at a time.", HelpName = "n", DefaultValueFactory = _ => 4 }, 1, 64);
        var batch = Bounded(new Option<int>("--batch", "-b") { Description = "Most files in one request.", HelpName = "n", DefaultValueFactory = _ => 50 }, 1, 10_000);
        var fresh = new Option<bool>("--fresh") { Description = "Send everything again. Without it, what an earlier import sent and the server still has is left out." };
        var json = new Option<bool>("--json") { Description = "Write the result as JSON, with every failure, and draw no progress." };

        var command = new Command("import", "Stores DICOM files on the server. Broken off, it goes on where it was when it is run again.")
        {
            paths, server, connections, batch, fresh, json
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new ImportOptions
            {
                Server = parsed.GetRequiredValue(server),
                Paths = parsed.GetRequiredValue(paths),
                Connections = parsed.GetValue(connections),
                BatchFiles = parsed.GetValue(batch),
                IsFresh = parsed.GetValue(fresh),
                JournalPath = ImportJournal.DefaultPath(parsed.GetRequiredValue(server))
            },
            parsed.GetValue(json), terminal, cancellationToken));
        return command;
    }

    internal static async Task<int> RunAsync(ImportOptions options, bool isJson, Terminal terminal, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var report = new ImportReport();
        using var server = new ServerConnection(options.Server, options.Connections);
        using var journal = ImportJournal.Open(options.JournalPath, options.IsFresh);
        var importer = new Importer(options, server, journal, report, time);
        CommandException? broken = null;
        try
        {
            if (isJson || !terminal.IsInteractive) await importer.RunAsync(cancellationToken);
            else await ImportProgress.ShowAsync(terminal.Screen, options, report, importer.RunAsync(cancellationToken), cancellationToken);
        }
        catch (CommandException failure)
        {
            broken = failure;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            broken = new CommandException("Interrupted.", "Run the same command again: it goes on where this one stopped.");
        }

        var elapsed = time.GetElapsedTime(started);
        if (isJson) ImportSummary.WriteJson(terminal.Output, options, report, elapsed, broken);
        else if (broken is null || report.Seen > 0) ImportSummary.Write(terminal, report, elapsed);
        if (broken is not null)
        {
            terminal.Fail(broken);
            return ExitCodes.NotDone;
        }

        return report.Failures.Count > 0 ? ExitCodes.Failures : ExitCodes.Success;
    }

    private static Option<int> Bounded(Option<int> option, int least, int most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var value) && (value < least || value > most))
                result.AddError($"{option.Name} is between {least} and {most}.");
        });
        return option;
    }
}
