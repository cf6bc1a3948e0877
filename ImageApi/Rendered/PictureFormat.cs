using System.Buffers;
using ImageApi.Negotiation;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Png;
using Platform.Codecs.WebP;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>The formats of pictures for the eye.</summary>
internal enum PictureFormat
{
    Jpeg,
    Png,
    Webp,
}

/// <summary>What pictures are offered as, and how they are written.</summary>
internal static class PictureFormats
{
    private static readonly JpegFrameEncoder Jpeg = new();
    private static readonly PngFrameEncoder Png = new();

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

    public static string ContentTypeOf(PictureFormat format) => format switch
    {
        PictureFormat.Png => "image/png",
        PictureFormat.Webp => "image/webp",
        _ => "image/jpeg",
    };

    /// <summary>Writes a picture.</summary>
    /// <param name="picture">Of 8 bits.</param>
    /// <param name="format">Into what.</param>
    /// <param name="quality">1 to 100, in the format's own sense; PNG loses nothing and does not look at it.</param>
    /// <param name="effort">Of WebP: 0 (quick) to 6 (small).</param>
    /// <param name="to">Takes the file.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The picture is larger than the format holds.</exception>
    public static void Write(Picture picture, PictureFormat format, int quality, int effort, IBufferWriter<byte> to, CancellationToken cancellationToken)
    {
        switch (format)
        {
            case PictureFormat.Png:
                var frame = new FrameDescription(picture.Height, picture.Width, picture.Channels, 8, 8, false, false, picture.Channels == 3 ? Photometric.Rgb : Photometric.Monochrome2);
                Png.Encode(picture.Pixels, frame, to, null, cancellationToken);
                break;
            case PictureFormat.Webp:
                if (Math.Max(picture.Width, picture.Height) > WebpEncoder.MaxSide) throw new InvalidFrameException($"WebP holds {WebpEncoder.MaxSide} pixels each way; ask for another format or a smaller viewport.");
                WebpEncoder.Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, new WebpOptions { Quality = quality, Effort = effort }, to, cancellationToken);
                break;
            default:
                Jpeg.Encode(picture.Pixels, picture.Width, picture.Height, picture.Channels, quality, to, cancellationToken);
                break;
        }
    }
}
