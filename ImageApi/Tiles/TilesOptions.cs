using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ImageApi.Tiles;

/// <summary>Bounds of deep zoom. Section <c>ImageApi:Tiles</c>.</summary>
internal sealed class TilesOptions
{
    public const string SectionName = "ImageApi:Tiles";

    /// <summary>Quality of the tiles that are made, 1 to 100; colour has half the resolution each way below 90. Default 85.</summary>
    [Range(1, 100)]
    public int Quality { get; set; } = 85;

    /// <summary>
    /// How long one request may take to put a tile together, of frames of a level far finer than it. Then it is 503, what is done so far is kept, and the next request
    /// goes on from there. Default 20 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Memory for decoded frames of which tiles are cut: neighbours are usually asked for next. One frame is kept however large it is; all go when nobody asked for
    /// 30 s. Default 48 MB.
    /// </summary>
    [Range(0, 1L << 34)]
    public long DecodedBytes { get; set; } = 48 << 20;
}

[OptionsValidator]
internal sealed partial class TilesOptionsValidator : IValidateOptions<TilesOptions>;
