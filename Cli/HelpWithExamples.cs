using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cli;

/// <summary>The usual help, with examples and exit codes below it.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new HelpWithExamples((HelpAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        var examples = parseResult.CommandResult.Command.Name switch
        {
            "import" =>
                """
                Examples:
                  platform import ~/studies/2026            everything below a folder, to the Platform on this machine
                  platform import a.dcm b.dcm -c 1          two files, one request at a time
                  platform import /mnt/pacs -s http://images.example:5101 --json > report.json

                Exit codes: 0 everything is stored, 1 some files failed, 2 not done or broken off.
                """,
            "verify" =>
                """
                Examples:
                  platform verify                           is everything there that the catalog lists?
                  platform verify --content                 ... and is every byte what was stored?

                Exit codes: 0 all is well, 1 problems were found, 2 not done or broken off.
                """,
            _ =>
                """
                Examples:
                  platform import ~/studies                 brings a folder of DICOM files in
                  platform verify                           checks what is stored

                `platform <command> --help` says more about each.
                """
        };
        parseResult.InvocationConfiguration.Output.WriteLine(examples);
        return exitCode;
    }
}
