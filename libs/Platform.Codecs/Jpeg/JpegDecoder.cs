using System.Buffers;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// Decodes JPEG files that describe themselves (T.81, T.871 JFIF, T.872): grey, colour, and the inks of printing (CMYK, YCCK) as colour. Baseline,
/// extended and progressive, 8 or 12 bits; 12 become 8. Arithmetic coding and lossless processes are refused.
/// </summary>
public static class JpegDecoder
{
    /// <summary>Whether a file begins as a JPEG does.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> file) => file.StartsWith((ReadOnlySpan<byte>)[0xFF, JpegMarker.Soi, 0xFF]);

    /// <summary>What a file says of itself, before its first scan: 1 channel or 3.</summary>
    /// <exception cref="InvalidFrameException">It is no JPEG that can be decoded.</exception>
    public static PictureInfo ReadInfo(ReadOnlySpan<byte> file)
    {
        var headers = ReadHeaders(file);
        return new PictureInfo(headers.Width, headers.Height, headers.ComponentCount == 1 ? 1 : 3, 8);
    }

    /// <summary>Decodes a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="pixels">Takes grey or red, green, blue of 8 bits; nothing is written when the file turns out broken.</param>
    /// <param name="options">Bounds; the picture's bytes are checked before anything is decoded.</param>
    /// <param name="cancellationToken">Checked per row of blocks.</param>
    /// <exception cref="InvalidFrameException">The file is broken or exceeds a bound.</exception>
    public static PictureInfo Decode(ReadOnlySequence<byte> file, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        if (options.ReduceLevels != 0) throw new InvalidFrameException("This format cannot be decoded at a lower resolution.");
        using var pooled = PooledBytes.Contiguous(file, out var bytes);
        var headers = ReadHeaders(bytes);
        var (count, isWide, transform) = (headers.ComponentCount, headers.Precision > 8, headers.AdobeTransform);
        var info = new PictureInfo(headers.Width, headers.Height, count == 1 ? 1 : 3, 8);
        var length = FrameLimits.CheckLength(info.ByteLength, options);
        var components = new FrameDescription(info.Height, info.Width, count, isWide ? 16 : 8, headers.Precision, false, false, count == 1 ? Photometric.Monochrome2 : Photometric.YbrFull);
        if (count != 4 && !isWide)
        {
            JpegFrameDecoder.DecodeComponents(file, components, pixels, options, cancellationToken);
            return info;
        }

        using var decoded = new ComponentBuffer(FrameLimits.CheckLength(components.ByteLength, options with { MaxFrameBytes = Math.Min(Array.MaxLength, 4 * options.MaxFrameBytes) }));
        JpegFrameDecoder.DecodeComponents(file, components, decoded, options with { MaxFrameBytes = Math.Min(Array.MaxLength, 4 * options.MaxFrameBytes) }, cancellationToken);
        using var picture = PooledBytes.Zeroed(length);
        var samples = decoded.Samples;
        if (isWide)
        {
            var wide = MemoryMarshal.Cast<byte, ushort>(samples);
            for (var i = 0; i < wide.Length; i++) samples[i] = (byte)(wide[i] >> 4);
            samples = samples[..wide.Length];
        }
        if (count == 4) ToRgb(samples, transform, picture.Span);
        else samples.CopyTo(picture.Span);
        pixels.Write(picture.Span);
        return info;
    }

    private static JpegHeaders ReadHeaders(ReadOnlySpan<byte> file)
    {
        var headers = JpegHeaders.Begin(file);
        if (!headers.ReadToScan(file, out _)) throw new InvalidFrameException("The file has no scan.", headers.Position);
        if (headers.Process is not (JpegMarker.Sof0 or JpegMarker.Sof1 or JpegMarker.Sof2)) throw new InvalidFrameException($"JPEG process 0x{headers.Process:X2} is not supported.");
        if (headers.Precision is not (8 or 12)) throw new InvalidFrameException($"JPEG with {headers.Precision} bits is none.");
        if (headers.ComponentCount is not (1 or 3 or 4) || (headers.ComponentCount == 4 && headers.Precision != 8)) throw new InvalidFrameException($"A picture of {headers.ComponentCount} components of {headers.Precision} bits is not supported.");
        return headers;
    }

    /// <summary>
    /// Inks to colour. T.872 6.5.3: files with Adobe's marker hold the inks inverted, 255 for none; transform 2 stands for YCCK, whose first three are the
    /// inverted inks' complements as luminance and colour differences.
    /// </summary>
    private static void ToRgb(ReadOnlySpan<byte> inks, int transform, Span<byte> rgb)
    {
        const int Half = 1 << 15;
        var flip = transform < 0 ? 255 : 0;
        for (int from = 0, to = 0; to + 2 < rgb.Length; from += 4, to += 3)
        {
            int c = inks[from], m = inks[from + 1], y = inks[from + 2], k = inks[from + 3] ^ flip;
            if (transform == 2)
            {
                int blue = m - 128, red = y - 128;
                (c, m, y) = (255 - Math.Clamp(c + ((91881 * red + Half) >> 16), 0, 255), 255 - Math.Clamp(c + ((-22554 * blue - 46802 * red + Half) >> 16), 0, 255), 255 - Math.Clamp(c + ((116130 * blue + Half) >> 16), 0, 255));
            }
            (c, m, y) = (c ^ flip, m ^ flip, y ^ flip);
            rgb[to] = (byte)((c * k + 127) / 255);
            rgb[to + 1] = (byte)((m * k + 127) / 255);
            rgb[to + 2] = (byte)((y * k + 127) / 255);
        }
    }

    /// <summary>Takes the components before they are brought into shape.</summary>
    private sealed class ComponentBuffer(int length) : IBufferWriter<byte>, IDisposable
    {
        private byte[]? _rented = ArrayPool<byte>.Shared.Rent(length);
        private int _written;

        public Span<byte> Samples => _rented.AsSpan(0, _written);

        public void Advance(int count) => _written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _rented.AsMemory(_written);

        public Span<byte> GetSpan(int sizeHint = 0) => _rented.AsSpan(_written);

        public void Dispose()
        {
            if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
    }
}
