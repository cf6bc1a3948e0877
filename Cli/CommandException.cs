namespace Cli;

/// <summary>Ends a command with <see cref="ExitCodes.NotDone"/>: what is wrong, and what to do next.</summary>
internal sealed class CommandException(string message, string advice, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The next step, as a sentence.</summary>
    public string Advice { get; } = advice;
}
