namespace Platform.Imaging;

/// <summary>Turns pictures as EXIF's Orientation (Exif 3.0, 4.6.5.1.6) says.</summary>
public static class PictureTurning
{
    private const int Tile = 32;

    /// <summary>The picture as it is to be seen. The caller disposes both.</summary>
    /// <param name="picture">As stored.</param>
    /// <param name="orientation">
    /// Which side the first row and the first column are on: 1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top,
    /// 7 right bottom, 8 left bottom.
    /// </param>
    /// <param name="cancellationToken">Checked a few times.</param>
    public static Picture Turn(Picture picture, int orientation, CancellationToken cancellationToken)
    {
        var (width, height, channels) = (picture.Width, picture.Height, picture.Channels);
        var isTransposed = orientation is >= 5 and <= 8;
        var turned = isTransposed ? new Picture(height, width, channels) : new Picture(width, height, channels);
        ReadOnlySpan<byte> from = picture.Pixels;
        var to = turned.Pixels;

        // Where pixel (x, y) goes: origin + x * acrossStep + y * downStep.
        var across = turned.Width;
        var (origin, acrossStep, downStep) = orientation switch
        {
            2 => (width - 1, -1, across),
            3 => (across * height - 1, -1, -across),
            4 => (across * (height - 1), 1, -across),
            5 => (0, across, 1),
            6 => (height - 1, across, -1),
            7 => (across * width - 1, -across, -1),
            8 => (across * (width - 1), -across, 1),
            _ => (0, 1, across),
        };

        // By tiles, so that neither side is walked a cache line per pixel.
        for (var top = 0; top < height; top += Tile)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var left = 0; left < width; left += Tile)
            {
                for (var y = top; y < Math.Min(top + Tile, height); y++)
                {
                    for (var x = left; x < Math.Min(left + Tile, width); x++)
                    {
                        var source = (y * width + x) * channels;
                        var target = (origin + x * acrossStep + y * downStep) * channels;
                        for (var i = 0; i < channels; i++) to[target + i] = from[source + i];
                    }
                }
            }
        }
        return turned;
    }
}
