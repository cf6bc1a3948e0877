using System.Buffers;
using Platform.Codecs;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Png;
using Platform.Codecs.WebP;

namespace Platform.Imaging;

/// <summary>The formats of pictures for the eye.</summary>
public enum PictureFormat
{
    Jpeg,
    Png,
    Webp,
}

/// <summary>Writes pictures as files.</summary>
public static class PictureWriter
{
    private static readonly JpegFrameEncoder Jpeg = new();
    private static readonly PngFrameEncoder Png = new();

    /// <summary>Whether a format can be written on this machine: WebP needs the system's library.</summary>
    public static bool CanWrite(PictureFormat format) => format != PictureFormat.Webp || WebpEncoder.IsAvailable;

    /// <summary>The media type of a format's files.</summary>
    public static string MediaTypeOf(PictureFormat format) => format switch
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
