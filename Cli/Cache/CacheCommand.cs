using System.CommandLine;

namespace Cli.Cache;

/// <summary><c>platform cache</c>: what the server's cache tiers hold and do.</summary>
internal static class CacheCommand
{
    public static Command Create(Terminal terminal) => new("cache", "Shows and administers the server's cache tiers.")
    {
        StatsCommand.Create(terminal),
        ClearCommand.Create(terminal),
        ScrubCommand.Create(terminal),
        SettingsCommand.Create(terminal)
    };
}
