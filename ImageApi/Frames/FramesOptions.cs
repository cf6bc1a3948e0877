using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Frames;

/// <summary>Bounds of decoding and encoding frames. Section <c>ImageApi:Frames</c>.</summary>
internal sealed class FramesOptions
{
    public const string SectionName = "ImageApi:Frames";

    /// <summary>
    /// The most bytes that a decoded frame may have to be re-encoded; a larger one goes out as stored only, and is 422 in other forms. Encoding and decoding
    /// HTJ2K take about 10 bytes for each sample, and frames of more than 8 MiB are worked on one at a time, so the default of 64 MiB stands for at most about 400 MB.
    /// </summary>
    [Range(1L << 16, 1L << 30)]
    public long MaxFrameBytes { get; set; } = 64 << 20;

    /// <summary>Frames that may be decoded or encoded at once; 0, the default, for one per processor. Others wait for their turn.</summary>
    [Range(0, 256)]
    public int Concurrency { get; set; }

    /// <summary>What is made before anybody asks for it. Default <see cref="MakeAhead.Preview"/>.</summary>
    public MakeAhead MakeAhead { get; set; } = MakeAhead.Preview;

    /// <summary>How long nobody must have asked for a frame before something is made ahead. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MakeAheadIdleTime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Series with more bytes of pixels are not made ahead; they would drive out what people looked at. Default 1 GiB.</summary>
    [Range(0L, 1L << 50)]
    public long MakeAheadMaxBytes { get; set; } = 1 << 30;
}

/// <summary>What is made ahead of requests.</summary>
internal enum MakeAhead
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The progressive form of the frames of series that arrive in the store, while nothing else is to be done.</summary>
    Preview,
}

[OptionsValidator]
internal sealed partial class FramesOptionsValidator : IValidateOptions<FramesOptions>;
