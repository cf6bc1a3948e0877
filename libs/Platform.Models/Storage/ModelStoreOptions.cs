namespace Platform.Models;

/// <summary>The store's folder and bounds.</summary>
public sealed class ModelStoreOptions
{
    /// <summary>The folder; made when first needed, for its owner only. Default <c>~/.local/share/platform/models</c>. Several processes may share it on one machine.</summary>
    public string Path { get; set; } = DefaultPath;

    /// <summary>Bytes of all that the store holds, 0 for no bound; default 20 GB. What was used longest ago goes first, unless it is pinned or in use; a model that does not fit is refused.</summary>
    public long CapacityBytes { get; set; } = 20_000_000_000;

    /// <summary>Bytes of the disk that are left to others; default 256 MB. What would leave less is refused before it begins.</summary>
    public long MinFreeBytes { get; set; } = 256_000_000;

    /// <summary>How long a change waits for another process; default 30 s. Then it is <see cref="ModelFault.Busy"/>.</summary>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a process hashes a model's files before its first use of them; default true. Lengths are compared in any case.</summary>
    public bool VerifyAtFirstUse { get; set; } = true;

    /// <summary>How long what an interrupted download left is kept for going on with it; default 7 days.</summary>
    public TimeSpan KeepPartial { get; set; } = TimeSpan.FromDays(7);

    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share"), "platform", "models");
}
