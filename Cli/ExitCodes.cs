namespace Cli;

/// <summary>What a script may rely on.</summary>
internal static class ExitCodes
{
    /// <summary>Everything was done.</summary>
    public const int Success = 0;

    /// <summary>The work was done and something of it failed or was found wrong; the output names it.</summary>
    public const int Failures = 1;

    /// <summary>The work was not done, or not to its end: wrong arguments, no server, interrupted.</summary>
    public const int NotDone = 2;
}
