using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>A picture of 8 bits to look at, in memory from the shared pool: one owner, who disposes it once.</summary>
public sealed class Picture : IDisposable
{
    private byte[]? _rented;

    /// <summary>A picture with undefined pixels.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="channels">1 (grey) or 3 (red, green, blue).</param>
    public Picture(int width, int height, int channels)
    {
        (Width, Height, Channels) = (width, height, channels);
        _rented = ArrayPool<byte>.Shared.Rent(checked(width * height * channels));
    }

    /// <summary>A picture over pixels that lie in memory of the shared pool, which is the picture's from now on.</summary>
    internal Picture(int width, int height, int channels, byte[] rented) => (Width, Height, Channels, _rented) = (width, height, channels, rented);

    public int Width { get; }

    public int Height { get; }

    public int Channels { get; }

    /// <summary>Rows without padding.</summary>
    public Span<byte> Pixels => _rented is null ? throw new ObjectDisposedException(nameof(Picture)) : _rented.AsSpan(0, Width * Height * Channels);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented) ArrayPool<byte>.Shared.Return(rented);
    }
}

/// <summary>A part of a frame, in pixels from its upper left corner.</summary>
public readonly record struct PixelRegion(int Left, int Top, int Width, int Height);

/// <summary>From decoded pixels to a picture: grey or palette or colour, a part of it, resized, mirrored as asked.</summary>
public static class FrameRenderer
{
    /// <summary>The window to show a frame with where none is stored: between percentiles of its values, else the range of its bits.</summary>
    public static VoiWindow FindWindow(ReadOnlySpan<byte> pixels, in FrameDescription frame, FramePresentation presentation)
    {
        if (AutoWindow.Find(pixels, frame, presentation.Mapping, presentation.Padding) is { } found) return found;
        var (low, high) = frame.IsSigned ? (-Math.ScaleB(1, frame.BitsStored - 1), Math.ScaleB(1, frame.BitsStored - 1) - 1) : (0, Math.ScaleB(1, frame.BitsStored) - 1);
        var (from, to) = (presentation.Mapping.ToModality(low), presentation.Mapping.ToModality(high));
        return new VoiWindow((from + to) / 2 + 0.5, Math.Max(1, Math.Abs(to - from) + 1));
    }

    /// <summary>The whole frame as a picture of 8 bits. The caller disposes it.</summary>
    /// <param name="pixels">As decoders give them.</param>
    /// <param name="frame">What the decoder said of them.</param>
    /// <param name="presentation">How the data set wants them shown.</param>
    /// <param name="window">Instead of the stored one; null for that, or where none is stored one that is found.</param>
    /// <param name="cancellationToken">Checked in long loops.</param>
    /// <exception cref="InvalidFrameException">A palette image without palette.</exception>
    public static Picture Render(ReadOnlySpan<byte> pixels, in FrameDescription frame, FramePresentation presentation, VoiWindow? window, CancellationToken cancellationToken)
    {
        if (frame.SamplesPerPixel == 3) return RenderColour(pixels, frame);
        if (frame.Photometric == Photometric.PaletteColor)
        {
            var palette = presentation.Palette ?? throw new InvalidFrameException("The palette is missing or broken.");
            var coloured = new Picture(frame.Columns, frame.Rows, 3);
            palette.Map(pixels, frame, coloured.Pixels);
            return coloured;
        }

        var mapping = presentation.Mapping;
        if (window is { } asked) mapping = mapping with { Window = asked, VoiLut = null };
        else if (!presentation.HasWindow) mapping = mapping with { Window = FindWindow(pixels, frame, presentation) };
        var grey = new Picture(frame.Columns, frame.Rows, 1);
        mapping.Map(pixels, frame, grey.Pixels, cancellationToken);
        return grey;
    }

    /// <summary>
    /// A part of a picture, brought to a size. The caller disposes both pictures.
    /// </summary>
    /// <param name="picture">The whole.</param>
    /// <param name="region">Within the picture.</param>
    /// <param name="width">Of the result.</param>
    /// <param name="height">Of the result.</param>
    /// <param name="isFlippedAcross">Left and right change places.</param>
    /// <param name="isFlippedDown">Top and bottom change places.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    public static Picture Fit(Picture picture, PixelRegion region, int width, int height, bool isFlippedAcross, bool isFlippedDown, CancellationToken cancellationToken)
    {
        using var part = Cut(picture, region, isFlippedAcross, isFlippedDown);
        var fitted = new Picture(width, height, picture.Channels);
        try
        {
            Resizer.Resize(part.Pixels, region.Width, region.Height, picture.Channels, fitted.Pixels, width, height, cancellationToken);
            return fitted;
        }
        catch
        {
            fitted.Dispose();
            throw;
        }
    }

    private static Picture Cut(Picture picture, PixelRegion region, bool isFlippedAcross, bool isFlippedDown)
    {
        var part = new Picture(region.Width, region.Height, picture.Channels);
        var channels = picture.Channels;
        for (var y = 0; y < region.Height; y++)
        {
            var from = picture.Pixels.Slice(((region.Top + y) * picture.Width + region.Left) * channels, region.Width * channels);
            var to = part.Pixels.Slice((isFlippedDown ? region.Height - 1 - y : y) * region.Width * channels, region.Width * channels);
            if (!isFlippedAcross) from.CopyTo(to);
            else for (var x = 0; x < region.Width; x++) from.Slice(x * channels, channels).CopyTo(to[((region.Width - 1 - x) * channels)..]);
        }

        return part;
    }

    private static Picture RenderColour(ReadOnlySpan<byte> pixels, in FrameDescription frame)
    {
        var picture = new Picture(frame.Columns, frame.Rows, 3);
        var rgb = picture.Pixels;
        if (frame.BitsAllocated == 8)
        {
            pixels[..rgb.Length].CopyTo(rgb);
            if (frame.BitsStored < 8) foreach (ref var value in rgb) value = (byte)(value * 255 / ((1 << frame.BitsStored) - 1));
        }
        else if (frame.BitsAllocated == 16)
        {
            var words = MemoryMarshal.Cast<byte, ushort>(pixels);
            var shift = Math.Max(0, frame.BitsStored - 8);
            for (var i = 0; i < rgb.Length; i++) rgb[i] = (byte)(words[i] >> shift);
        }
        else
        {
            picture.Dispose();
            throw new InvalidFrameException($"Colour of {frame.BitsAllocated} bits is not supported.");
        }

        if (frame.Photometric is Photometric.YbrFull or Photometric.YbrFull422) ColourConversion.YbrFullToRgb(rgb);
        return picture;
    }
}
