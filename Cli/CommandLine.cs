using System.CommandLine;
using System.CommandLine.Invocation;
using Cli.Cache;
using Cli.Doctor;
using Cli.Import;
using Cli.Models;
using Cli.Verify;

namespace Cli;

/// <summary>The program's commands. One folder for each.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand("Works with a running Platform: brings images in, checks what is stored, looks after the cache, examines a PACS, manages models.")
        {
            ImportCommand.Create(terminal),
            VerifyCommand.Create(terminal),
            CacheCommand.Create(terminal),
            DoctorCommand.Create(terminal),
            ModelsCommand.Create(terminal)
        };
        HelpWithExamples.AddTo(root);
        if (args.Count == 0) args = ["--help"];
        var parsed = root.Parse(args);
        var configuration = new InvocationConfiguration { Output = terminal.Output, Error = terminal.Error, EnableDefaultExceptionHandler = false };
        try
        {
            if (parsed.Action is ParseErrorAction wrong)
            {
                // What is wrong is not to drown in the help.
                wrong.ShowHelp = false;
                configuration.Output = terminal.Error;
                await parsed.InvokeAsync(configuration, cancellationToken);
                terminal.Error.WriteLine($"`platform {PathOf(parsed.CommandResult)}--help` shows how it is used.");
                return ExitCodes.NotDone;
            }

            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (CommandException failure)
        {
            terminal.Fail(failure);
            return ExitCodes.NotDone;
        }
    }

    // "cache clear " for a command within a command, nothing for the program itself.
    private static string PathOf(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent ? PathOf(parent) + result.Command.Name + " " : "";
}
