using System.CommandLine;

namespace PerfTests.Report;

/// <summary><c>report</c>: prints kept results as Markdown tables.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("files") { Description = "Result files.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("report", "Print result files as Markdown tables.") { files };
        command.SetAction(parse =>
        {
            foreach (var file in parse.GetValue(files)!)
            {
                try
                {
                    Console.WriteLine(MarkdownTable.Print(ResultFile.Read(file.FullName)));
                }
                catch (Exception exception) when (exception is IOException or InvalidDataException)
                {
                    Console.Error.WriteLine($"{file.Name}: {exception.Message}");
                    return 1;
                }
            }

            return 0;
        });
        return command;
    }
}
