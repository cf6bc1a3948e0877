namespace Platform.Imaging;

/// <summary>A colour, sRGB.</summary>
public readonly record struct LabelColour(byte Red, byte Green, byte Blue);

/// <summary>Labels laid over a picture.</summary>
public static class LabelOverlay
{
    /// <summary>The picture in colour, each label's pixels mixed with its colour, their outline drawn full. The caller disposes it.</summary>
    /// <param name="picture">Grey or colour.</param>
    /// <param name="labels">One byte per pixel of the picture; 0 is nothing.</param>
    /// <param name="colours">The colour of label n is at n - 1; labels beyond have none and are left out.</param>
    /// <param name="opacity">0 (outlines only) to 1 (the colour alone).</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static Picture Blend(Picture picture, ReadOnlySpan<byte> labels, ReadOnlySpan<LabelColour> colours, double opacity, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(labels.Length, picture.Width * picture.Height);
        var blended = new Picture(picture.Width, picture.Height, 3);
        try
        {
            var from = picture.Pixels;
            var to = blended.Pixels;
            var width = picture.Width;
            var mix = (int)Math.Round(Math.Clamp(opacity, 0, 1) * 256);
            for (var y = 0; y < picture.Height; y++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var x = 0; x < width; x++)
                {
                    var at = y * width + x;
                    var pixel = to.Slice(at * 3, 3);
                    if (picture.Channels == 3) from.Slice(at * 3, 3).CopyTo(pixel);
                    else pixel.Fill(from[at]);
                    var label = labels[at];
                    if (label == 0 || label > colours.Length) continue;
                    var colour = colours[label - 1];
                    var share = IsOutline(labels, width, picture.Height, x, y) ? 256 : mix;
                    pixel[0] = Mix(pixel[0], colour.Red, share);
                    pixel[1] = Mix(pixel[1], colour.Green, share);
                    pixel[2] = Mix(pixel[2], colour.Blue, share);
                }
            }

            return blended;
        }
        catch
        {
            blended.Dispose();
            throw;
        }
    }

    // Inside the region, beside another label; the picture's edge is none.
    private static bool IsOutline(ReadOnlySpan<byte> labels, int width, int height, int x, int y)
    {
        var at = y * width + x;
        var label = labels[at];
        return (x > 0 && labels[at - 1] != label) || (x < width - 1 && labels[at + 1] != label) || (y > 0 && labels[at - width] != label) || (y < height - 1 && labels[at + width] != label);
    }

    private static byte Mix(byte below, byte above, int share) => (byte)((below * (256 - share) + above * share + 128) >> 8);
}
