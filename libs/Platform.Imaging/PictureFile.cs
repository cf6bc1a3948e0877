using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs;
using Platform.Codecs.Gif;
using Platform.Codecs.Jpeg;
using Platform.Codecs.Png;

namespace Platform.Imaging;

/// <summary>The kinds of picture files that are read.</summary>
public enum PictureFileKind
{
    Jpeg,
    Png,
    Gif,
}

/// <summary>What a picture file says of itself before it is decoded.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Width">Columns as shown, its orientation obeyed.</param>
/// <param name="Height">Rows as shown.</param>
/// <param name="Orientation">EXIF Orientation, 1 to 8; 1 where it has none.</param>
public readonly record struct PictureFileInfo(PictureFileKind Kind, int Width, int Height, int Orientation);

/// <summary>
/// From a picture file to 8 bits as people see it: turned as its EXIF orientation says, in sRGB where it carries a profile that can be computed with
/// (<see cref="IccProfile"/>), on white where it is transparent. Nothing else of its metadata is looked at, and none of it comes out.
/// </summary>
public static class PictureFile
{
    /// <summary>What a file begins as; null for what is not read.</summary>
    public static PictureFileKind? KindOf(ReadOnlySpan<byte> file)
    {
        if (JpegDecoder.IsJpeg(file)) return PictureFileKind.Jpeg;
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A])) return PictureFileKind.Png;
        return GifDecoder.IsGif(file) ? PictureFileKind.Gif : null;
    }

    /// <summary>Reads the headers.</summary>
    /// <exception cref="InvalidFrameException">It is none of the kinds, or broken.</exception>
    public static PictureFileInfo ReadInfo(ReadOnlySpan<byte> file)
    {
        var kind = KindOf(file) ?? throw new InvalidFrameException("The file is no JPEG, PNG or GIF.", 0);
        var info = InfoOf(file, kind);
        var orientation = PictureMetadata.ReadOrientation(file, kind);
        return orientation >= 5 ? new PictureFileInfo(kind, info.Height, info.Width, orientation) : new PictureFileInfo(kind, info.Width, info.Height, orientation);
    }

    /// <summary>Decodes a file; the caller disposes the picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="maxPixels">The most pixels that it may have; more are refused before anything is decoded.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    /// <exception cref="InvalidFrameException">The file is broken, cut off or too large.</exception>
    public static Picture Decode(ReadOnlyMemory<byte> file, long maxPixels, CancellationToken cancellationToken)
    {
        var header = ReadInfo(file.Span);
        if ((long)header.Width * header.Height > maxPixels) throw new InvalidFrameException($"The picture has {header.Width} x {header.Height} pixels, more than the {maxPixels} that are taken.");
        var options = new DecodeOptions { MaxFrameBytes = Math.Min(Array.MaxLength, 8 * maxPixels) };
        using var decoded = new PixelBuffer((int)Math.Min(InfoOf(file.Span, header.Kind).ByteLength, options.MaxFrameBytes));
        var sequence = new ReadOnlySequence<byte>(file);
        var info = header.Kind switch
        {
            PictureFileKind.Jpeg => JpegDecoder.Decode(sequence, decoded, options, cancellationToken),
            PictureFileKind.Png => PngDecoder.Decode(sequence, decoded, options, cancellationToken),
            _ => GifDecoder.Decode(sequence, decoded, options, cancellationToken),
        };
        if (PictureMetadata.ReadProfile(file.Span, header.Kind) is { } profile && info.Channels >= 3 == profile.IsColour && !profile.IsSrgb) profile.ToSrgb(decoded.Pixels, info);
        var plain = info is { BitsPerSample: 8, Channels: 1 or 3 } ? new Picture(info.Width, info.Height, info.Channels, decoded.Take()) : Flatten(decoded.Pixels, info, cancellationToken);
        if (header.Orientation == 1) return plain;
        using (plain) return PictureTurning.Turn(plain, header.Orientation, cancellationToken);
    }

    private static PictureInfo InfoOf(ReadOnlySpan<byte> file, PictureFileKind kind) => kind switch
    {
        PictureFileKind.Jpeg => JpegDecoder.ReadInfo(file),
        PictureFileKind.Png => PngDecoder.ReadInfo(file),
        _ => GifDecoder.ReadInfo(file),
    };

    /// <summary>One or three channels of 8 bits, what is transparent on white.</summary>
    private static Picture Flatten(ReadOnlySpan<byte> samples, in PictureInfo info, CancellationToken cancellationToken)
    {
        var hasAlpha = info.Channels is 2 or 4;
        var colours = hasAlpha ? info.Channels - 1 : info.Channels;
        var picture = new Picture(info.Width, info.Height, colours);
        var pixels = picture.Pixels;
        var wide = info.BitsPerSample == 16 ? MemoryMarshal.Cast<byte, ushort>(samples) : default;
        for (int to = 0, from = 0, row = 0; row < info.Height; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var x = 0; x < info.Width; x++)
            {
                var alpha = !hasAlpha ? 255 : wide.IsEmpty ? samples[from + colours] : To8(wide[from + colours]);
                for (var i = 0; i < colours; i++)
                {
                    var value = wide.IsEmpty ? samples[from + i] : To8(wide[from + i]);
                    pixels[to++] = alpha == 255 ? (byte)value : (byte)((value * alpha + 255 * (255 - alpha) + 127) / 255);
                }
                from += info.Channels;
            }
        }
        return picture;
    }

    private static int To8(int value) => (value * 255 + 32895) >> 16;   // rounded

    /// <summary>Takes what a decoder writes.</summary>
    private sealed class PixelBuffer(int capacity) : IBufferWriter<byte>, IDisposable
    {
        private byte[]? _rented = ArrayPool<byte>.Shared.Rent(capacity);
        private int _written;

        public Span<byte> Pixels => _rented.AsSpan(0, _written);

        public void Advance(int count) => _written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _rented.AsMemory(_written);

        public Span<byte> GetSpan(int sizeHint = 0) => _rented.AsSpan(_written);

        /// <summary>The memory, which is the caller's from now on.</summary>
        public byte[] Take() => Interlocked.Exchange(ref _rented, null)!;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _rented, null) is { } rented) ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
