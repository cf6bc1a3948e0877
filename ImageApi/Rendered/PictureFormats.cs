using ImageApi.Negotiation;
using Platform.Codecs.WebP;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>What pictures for the eye are offered as.</summary>
internal static class PictureFormats
{
    /// <summary>JPEG first: it is what those get who say nothing. WebP where this machine can write it.</summary>
    public static IReadOnlyList<Offer> Offers { get; } = WebpEncoder.IsAvailable
        ? [new("image/jpeg"), new("image/png"), new("image/webp")]
        : [new("image/jpeg"), new("image/png")];

    /// <summary>The offers in words.</summary>
    public static string InWords { get; } = WebpEncoder.IsAvailable ? "image/jpeg, image/png or image/webp" : "image/jpeg or image/png";

    public static PictureFormat Of(Offer offer) => offer.MediaType switch
    {
        "image/png" => PictureFormat.Png,
        "image/webp" => PictureFormat.Webp,
        _ => PictureFormat.Jpeg,
    };
}
