using Spectre.Console;

namespace Cli;

/// <summary>Where a command writes: results to the output, everything said meanwhile to the error stream, so that results can be piped.</summary>
/// <param name="output">Results.</param>
/// <param name="error">Progress, advice and failures.</param>
/// <param name="isInteractive">Whether someone watches the error stream: progress is drawn, colours are used.</param>
internal sealed class Terminal(TextWriter output, TextWriter error, bool isInteractive)
{
    public static Terminal OfProcess() => new(Console.Out, Console.Error, !Console.IsErrorRedirected);

    public TextWriter Output { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Draws on the error stream.</summary>
    public IAnsiConsole Screen { get; } = MakeScreen(error, isInteractive);

    /// <summary>Lays tables out on the output; a pipe gets lines that are as long as they need to be.</summary>
    public IAnsiConsole Results { get; } = MakeResults(output);

    public bool IsInteractive { get; } = isInteractive;

    /// <summary>Whether a question would reach someone who can answer it.</summary>
    public bool CanAsk => IsInteractive && !Console.IsInputRedirected;

    /// <summary>What is wrong in red, and below it what to do.</summary>
    public void Fail(CommandException failure)
    {
        Screen.MarkupLineInterpolated($"[red]{failure.Message}[/]");
        Screen.WriteLine(failure.Advice);
    }

    private static IAnsiConsole MakeResults(TextWriter output)
    {
        var results = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, Interactive = InteractionSupport.No });
        if (output != Console.Out || Console.IsOutputRedirected) results.Profile.Width = 10_000;
        return results;
    }

    private static IAnsiConsole MakeScreen(TextWriter error, bool isInteractive)
    {
        var screen = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(error),
            Ansi = isInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isInteractive ? InteractionSupport.Detect : InteractionSupport.No
        });

        // Only a screen has an edge to break lines at; in a file a message is one line.
        if (!isInteractive) screen.Profile.Width = 10_000;
        return screen;
    }
}
