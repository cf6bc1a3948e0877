using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Platform.Models;

namespace InferenceApi.Models;

/// <summary>Where models are kept, and how much of them; where they may come from.</summary>
internal sealed class ModelsOptions
{
    public const string SectionName = "InferenceApi:Models";

    /// <summary>The store's folder, shared with `platform models`. Default <c>~/.local/share/platform/models</c>. Manifests of the user's own lie in its <c>catalogue/</c>.</summary>
    public string Path { get; set; } = ModelStoreOptions.DefaultPath;

    /// <summary>Bytes that the store may hold, 0 for no bound. Default 20 GB. What was used longest ago goes first, unless pinned or in use; what does not fit is refused.</summary>
    [Range(0, long.MaxValue)]
    public long CapacityBytes { get; set; } = 20_000_000_000;

    /// <summary>Bytes of the disk that are left to others. Default 256 MB.</summary>
    [Range(0, long.MaxValue)]
    public long MinFreeBytes { get; set; } = 256_000_000;

    /// <summary>The largest file that may be imported or fetched. Default 16 GB; a larger one is refused.</summary>
    [Range(1, long.MaxValue)]
    public long MaxFileBytes { get; set; } = 16_000_000_000;

    /// <summary>Hosts that may be asked for models without TLS, besides this machine. Default none.</summary>
    public string[] PlainHttpHosts { get; set; } = [];

    /// <summary>Hosts that may be asked at all, redirects included. Default empty: every host that the manifests name.</summary>
    public string[] AllowedHosts { get; set; } = [];

    /// <summary>Memory of the child process in which a model from outside is first opened. Default 4 GB.</summary>
    [Range(1 << 28, long.MaxValue)]
    public long ProveMemoryBytes { get; set; } = 4L << 30;

    /// <summary>How long that may take. Default 2 minutes; then it is refused.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan ProveTimeout { get; set; } = TimeSpan.FromMinutes(2);
}

[OptionsValidator]
internal sealed partial class ModelsOptionsValidator : IValidateOptions<ModelsOptions>;
