using System.ComponentModel.DataAnnotations;

namespace ImageApi.Pictures;

/// <summary>Where plain pictures lie and what is taken. Section <c>ImageApi:Pictures</c>.</summary>
internal sealed class PicturesOptions
{
    public const string SectionName = "ImageApi:Pictures";

    /// <summary>The folder; <c>~/</c> stands for the home folder. Default: <c>.pictures</c> in the store's. Several nodes may share one.</summary>
    public string? Path { get; set; }

    /// <summary>The longest file that is taken, in bytes. Default 32 MiB; a longer one is 413.</summary>
    [Range(1L << 10, 1L << 30)]
    public long MaxFileBytes { get; set; } = 32 << 20;

    /// <summary>The most pixels of a picture. Default 40 million; more are 422, told by the file's header before anything is decoded.</summary>
    [Range(1L, 500_000_000L)]
    public long MaxPixels { get; set; } = 40_000_000;

    /// <summary>Pictures that may be decoded at once, which bounds memory: up to 12 bytes for each pixel. Default 2; others wait.</summary>
    [Range(1, 64)]
    public int Concurrency { get; set; } = 2;
}
