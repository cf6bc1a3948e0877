using Platform.Codecs;

namespace Platform.Imaging;

/// <summary>Colour frames of 8 bits to red, green and blue (PS3.3 C.7.6.3.1.2), in place where that can be.</summary>
public static class ColourConversion
{
    /// <summary>Turns interleaved YBR_FULL into RGB, in place.</summary>
    public static void YbrFullToRgb(Span<byte> pixels)
    {
        for (var i = 0; i + 2 < pixels.Length; i += 3) Convert(pixels[i], pixels[i + 1], pixels[i + 2], pixels.Slice(i, 3));
    }

    /// <summary>Turns native YBR_FULL_422 (Y1 Y2 Cb Cr for every two pixels of a row) into RGB of three bytes per pixel.</summary>
    /// <param name="pixels">Two bytes per pixel; an even number of columns.</param>
    /// <param name="rgb">Takes three bytes per pixel.</param>
    public static void YbrFull422ToRgb(ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        for (int i = 0, at = 0; i + 3 < pixels.Length && at + 5 < rgb.Length; i += 4, at += 6)
        {
            Convert(pixels[i], pixels[i + 2], pixels[i + 3], rgb.Slice(at, 3));
            Convert(pixels[i + 1], pixels[i + 2], pixels[i + 3], rgb.Slice(at + 3, 3));
        }
    }

    /// <summary>Turns colour by plane into colour by pixel.</summary>
    public static void Interleave(ReadOnlySpan<byte> planar, in FrameDescription frame, Span<byte> interleaved)
    {
        int size = frame.BytesPerSample, samples = frame.SamplesPerPixel, plane = frame.Rows * frame.Columns * size;
        for (var sample = 0; sample < samples; sample++)
        {
            for (int from = sample * plane, to = sample * size; from < (sample + 1) * plane; from += size, to += samples * size)
            {
                planar.Slice(from, size).CopyTo(interleaved[to..]);
            }
        }
    }

    // BT.601, full range, 16-bit fixed point.
    private static void Convert(int y, int cb, int cr, Span<byte> rgb)
    {
        const int Half = 1 << 15;
        cb -= 128;
        cr -= 128;
        rgb[0] = (byte)Math.Clamp(y + ((91881 * cr + Half) >> 16), 0, 255);
        rgb[1] = (byte)Math.Clamp(y + ((-22554 * cb - 46802 * cr + Half) >> 16), 0, 255);
        rgb[2] = (byte)Math.Clamp(y + ((116130 * cb + Half) >> 16), 0, 255);
    }
}
