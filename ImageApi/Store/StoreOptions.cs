using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Store;

/// <summary>Where stored instances lie and what may be stored.</summary>
internal sealed class StoreOptions
{
    public const string SectionName = "ImageApi:Store";

    /// <summary>The store's folder; <c>~/</c> stands for the home folder. Made when missing, readable by its owner only. One process at a time may hold it.</summary>
    [Required]
    public string Path { get; set; } = "~/.local/share/platform/store";

    /// <summary>The longest instance that is taken, in bytes. Default 4 GiB. A longer one is refused by itself; the others of its request are not touched.</summary>
    [Range(1L, long.MaxValue)]
    public long MaxInstanceBytes { get; set; } = 4L << 30;

    /// <summary>The most parts of one request. Default 100,000. What comes before them is stored, the answer tells that the rest was not.</summary>
    [Range(1, 10_000_000)]
    public int MaxParts { get; set; } = 100_000;

    /// <summary>Space that is left free on the disk, in bytes: storing stops before it is used up. Default 64 MiB.</summary>
    [Range(0L, long.MaxValue)]
    public long ReservedBytes { get; set; } = 64L << 20;

    /// <summary>Files that are made durable at once. Default 4.</summary>
    [Range(1, 64)]
    public int Flushers { get; set; } = 4;
}

[OptionsValidator]
internal sealed partial class StoreOptionsValidator : IValidateOptions<StoreOptions>;
