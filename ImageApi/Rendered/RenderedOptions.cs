using System.ComponentModel.DataAnnotations;

namespace ImageApi.Rendered;

/// <summary>Bounds of rendering. Section <c>ImageApi:Rendered</c>.</summary>
internal sealed class RenderedOptions
{
    public const string SectionName = "ImageApi:Rendered";

    /// <summary>The most bytes that a frame may have when decoded; a larger one is 422.</summary>
    [Range(1L << 20, 1L << 31)]
    public long MaxFrameBytes { get; set; } = 256 << 20;
}
