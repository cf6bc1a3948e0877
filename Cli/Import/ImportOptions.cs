using Cli.Servers;

namespace Cli.Import;

/// <summary>What to import and how.</summary>
internal sealed record ImportOptions
{
    public required ServerAddress Server { get; init; }

    /// <summary>Files and folders; folders with everything below them.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Requests at a time.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Most files in a request.</summary>
    public int BatchFiles { get; init; } = 50;

    /// <summary>A request is sent when its files are this long together, in bytes.</summary>
    public long BatchBytes { get; init; } = 64L << 20;

    /// <summary>Sends everything, whatever was sent before.</summary>
    public bool IsFresh { get; init; }

    /// <summary>Where it is remembered what was sent; null: nowhere.</summary>
    public string? JournalPath { get; init; }

    /// <summary>How often a request is sent again when the server does not answer or is busy, and the first wait; each further one is twice as long.</summary>
    public int Retries { get; init; } = 4;

    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A request that makes no progress for this long is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(100);
}
