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
        // "clear" and "import" are commands of the cache or the program, and of the models.
        var command = parseResult.CommandResult.Command.Name;
        var isOfModels = parseResult.CommandResult.Parent is System.CommandLine.Parsing.CommandResult { Command.Name: "models" };
        var examples = (isOfModels ? "models" : command) switch
        {
            "models" =>
                """
                Examples:
                  platform models setup                     asks which models are wanted and brings them
                  platform models list                      what is here, and what can be fetched
                  platform models download MiDaS_small      goes on where it broke off
                  platform models export ct-lung            the whole model as one file
                  platform models import own.onnx -n own    a model of one's own
                  platform models export ct-lung -f h5      its weights, for h5py
                  platform models verify --repair           reads every byte and mends what is wrong

                Exit codes: 0 done, 1 something is wrong with the store or a manifest, 2 not done.
                """,
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
            "cache" =>
                """
                Examples:
                  platform cache stats                      what each tier holds, and how often it answered
                  platform cache clear --tier disk          forgets what lies on the server's disk; asks first
                  platform cache settings Disk:Ttl=48h      changes a setting while the server runs

                Exit codes: 0 done, 1 a scrub found damage, 2 not done.
                """,
            "doctor" =>
                """
                Examples:
                  platform doctor pacs1                     what the PACS called pacs1 can do, and what is wrong with it
                  platform doctor pacs1 --json > pacs1.json

                Exit codes: 0 nothing is wrong, 1 problems were found, 2 not done.
                """,
            "clear" =>
                """
                Examples:
                  platform cache clear                      everything, in every tier; tells what it frees and asks
                  platform cache clear --series 1.2.3 --yes one series, without asking
                  platform cache clear --origin pacs1       what came from an origin

                Exit codes: 0 cleared, or nothing to clear; 2 not cleared.
                """,
            "settings" =>
                """
                Examples:
                  platform cache settings                                      what holds now, and what is configured
                  platform cache settings Memory:CapacityBytes=128MiB Disk:Ttl=48h
                  platform cache settings Disk:Ttl=default                     one setting back to what is configured
                  platform cache settings --reset                              all of them

                Exit codes: 0 done, 2 not done.
                """,
            _ =>
                """
                Examples:
                  platform import ~/studies                 brings a folder of DICOM files in
                  platform verify                           checks what is stored
                  platform cache stats                      shows what the cache tiers do

                `platform <command> --help` says more about each.
                """
        };
        parseResult.InvocationConfiguration.Output.WriteLine(examples);
        return exitCode;
    }
}
