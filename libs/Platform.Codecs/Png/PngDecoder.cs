using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Png;

/// <summary>
/// Decodes PNG of every colour type and depth, interlaced or not (W3C PNG, third edition; ISO/IEC 15948). Palettes become colour,
/// transparent colours alpha, samples of fewer than 8 bits are spread over 8. Colour profiles and other ancillary chunks are passed over.
/// </summary>
public static class PngDecoder
{
    private const int MaxChunks = 100_000;

    // Adam7 (clause 8.1): where each pass begins, and its steps.
    private static ReadOnlySpan<byte> PassX => [0, 4, 0, 2, 0, 1, 0];
    private static ReadOnlySpan<byte> PassY => [0, 0, 4, 0, 2, 0, 1];
    private static ReadOnlySpan<byte> StepX => [8, 8, 4, 4, 2, 2, 1];
    private static ReadOnlySpan<byte> StepY => [8, 8, 8, 4, 4, 2, 2];

    /// <summary>What a file says of itself, from its chunks before the pixels.</summary>
    /// <exception cref="InvalidFrameException">It is no PNG.</exception>
    public static PictureInfo ReadInfo(ReadOnlySpan<byte> file)
    {
        var header = ReadHeader(file, out _);
        return header.Info;
    }

    /// <summary>Decodes a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="pixels">Takes the pixels; nothing is written when the file turns out broken.</param>
    /// <param name="options">Bounds; the picture's bytes are checked before anything is inflated.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    /// <exception cref="InvalidFrameException">The file is broken or exceeds a bound.</exception>
    public static PictureInfo Decode(ReadOnlySequence<byte> file, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        if (options.ReduceLevels != 0) throw new InvalidFrameException("This format cannot be decoded at a lower resolution.");
        using var pooled = PooledBytes.Contiguous(file, out var bytes);
        var header = ReadHeader(bytes, out var position);
        var info = header.Info;
        var length = FrameLimits.CheckLength(info.ByteLength, options);
        using var compressed = JoinData(bytes, position, out var compressedLength, out var rented);
        try
        {
            using var picture = PooledBytes.Zeroed(length);
            using var inflate = new ZLibStream(compressed, CompressionMode.Decompress);
            try
            {
                if (!header.IsInterlaced)
                {
                    DecodePass(inflate, header, picture.Span, 0, 0, 1, 1, cancellationToken);
                }
                else
                {
                    for (var pass = 0; pass < 7; pass++) DecodePass(inflate, header, picture.Span, PassX[pass], PassY[pass], StepX[pass], StepY[pass], cancellationToken);
                }
            }
            catch (InvalidDataException exception)
            {
                throw new InvalidFrameException("The pixels do not inflate.", -1, exception);
            }

            pixels.Write(picture.Span);
            return info;
        }
        catch (InvalidFrameException exception)
        {
            exception.Locate(0, position);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private ref struct Header
    {
        public int Width, Height, Depth, ColourType;
        public bool IsInterlaced;
        public ReadOnlySpan<byte> Palette, Transparency;

        public readonly int Samples => ColourType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

        public readonly int BitsPerPixel => Samples * Depth;

        public readonly PictureInfo Info => new(Width, Height, ColourType switch
        {
            3 => Transparency.IsEmpty ? 3 : 4,
            0 or 2 => Samples + (Transparency.IsEmpty ? 0 : 1),
            _ => Samples,
        }, Depth == 16 ? 16 : 8);
    }

    private static Header ReadHeader(ReadOnlySpan<byte> file, out int position)
    {
        if (!file.StartsWith(PngChunks.Signature)) throw new InvalidFrameException("The file is no PNG.", 0);
        position = PngChunks.Signature.Length;
        var header = new Header();
        for (var chunk = 0; ; chunk++)
        {
            if (chunk > MaxChunks) throw new InvalidFrameException("The file has too many chunks.", position);
            var start = position;
            var type = PngChunks.Read(file, ref position, out var data);
            if (chunk == 0 && type != PngChunks.Ihdr) throw new InvalidFrameException("The file does not begin with its header.", start);
            switch (type)
            {
                case PngChunks.Ihdr:
                    if (chunk != 0 || data.Length != 13) throw new InvalidFrameException("The header is none.", start);
                    ReadShape(data, ref header, start);
                    break;
                case PngChunks.Plte:
                    if (data.Length == 0 || data.Length % 3 != 0 || data.Length > 768) throw new InvalidFrameException("The palette is none.", start);
                    header.Palette = data;
                    break;
                case PngChunks.Trns:
                    var expected = header.ColourType switch { 0 => 2, 2 => 6, 3 => -1, _ => 0 };
                    if (expected == 0 || (expected > 0 && data.Length != expected) || (expected < 0 && data.Length * 3 > header.Palette.Length)) throw new InvalidFrameException("The transparency is none.", start);
                    if (data.Length > 0) header.Transparency = data;
                    break;
                case PngChunks.Idat:
                    if (header.ColourType == 3 && header.Palette.IsEmpty) throw new InvalidFrameException("The palette is missing.", start);
                    position = start;
                    return header;
                case PngChunks.Iend:
                    throw new InvalidFrameException("The file has no pixels.", start);
                default:
                    // A critical chunk (5.4: its first letter is a capital) that nobody knows may mean anything.
                    if ((type >> 24 & 0x20) == 0) throw new InvalidFrameException("The file has a critical chunk that is not known.", start);
                    break;
            }
        }
    }

    private static void ReadShape(ReadOnlySpan<byte> data, ref Header header, int offset)
    {
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
        if (width is 0 or > 1_000_000 || height is 0 or > 1_000_000) throw new InvalidFrameException($"A picture of {width} x {height} pixels is none.", offset);
        (header.Width, header.Height, header.Depth, header.ColourType) = ((int)width, (int)height, data[8], data[9]);
        var isKnown = header.ColourType switch
        {
            0 => header.Depth is 1 or 2 or 4 or 8 or 16,
            3 => header.Depth is 1 or 2 or 4 or 8,
            2 or 4 or 6 => header.Depth is 8 or 16,
            _ => false,
        };
        if (!isKnown || data[10] != 0 || data[11] != 0 || data[12] > 1) throw new InvalidFrameException("The header is of no kind that PNG has.", offset);
        header.IsInterlaced = data[12] == 1;
    }

    /// <summary>The IDAT chunks as one stream. <paramref name="rented"/> goes back to the pool after it.</summary>
    private static MemoryStream JoinData(ReadOnlySpan<byte> file, int position, out int length, out byte[] rented)
    {
        rented = ArrayPool<byte>.Shared.Rent(file.Length - position);
        length = 0;
        try
        {
            for (var chunk = 0; chunk < MaxChunks && PngChunks.Read(file, ref position, out var data) == PngChunks.Idat; chunk++)
            {
                data.CopyTo(rented.AsSpan(length));
                length += data.Length;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw;
        }

        return new MemoryStream(rented, 0, length, writable: false);
    }

    private static void DecodePass(Stream inflate, in Header header, Span<byte> picture, int firstX, int firstY, int stepX, int stepY, CancellationToken cancellationToken)
    {
        var (width, height) = ((header.Width - firstX + stepX - 1) / stepX, (header.Height - firstY + stepY - 1) / stepY);
        if (width <= 0 || height <= 0) return;
        var rowLength = (int)(((long)width * header.BitsPerPixel + 7) / 8);
        var bytesPerPixel = Math.Max(1, header.BitsPerPixel / 8);
        using var rows = PooledBytes.Zeroed(checked(2 * (rowLength + 1)));
        var row = rows.Span[..(rowLength + 1)];
        var above = rows.Span[(rowLength + 1)..];
        var info = header.Info;
        var pixelBytes = info.Channels * (info.BitsPerSample / 8);
        for (var y = 0; y < height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (inflate.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length) throw new InvalidFrameException("The pixels are cut off.");
            PngFilters.Undo(row[0], row[1..], above[1..], bytesPerPixel);
            var target = picture[(int)((long)(firstY + y * stepY) * header.Width * pixelBytes)..];
            for (var x = 0; x < width; x++) Store(row[1..], x, header, target.Slice((firstX + x * stepX) * pixelBytes, pixelBytes));
            var last = above;
            above = row;
            row = last;
        }
    }

    private static void Store(ReadOnlySpan<byte> row, int x, in Header header, Span<byte> pixel)
    {
        if (header.Depth == 16)
        {
            var samples = header.Samples;
            var from = row.Slice(2 * samples * x, 2 * samples);
            for (var i = 0; i < samples; i++) (pixel[2 * i], pixel[2 * i + 1]) = (from[2 * i + 1], from[2 * i]);
            if (!header.Transparency.IsEmpty) MemoryMarshal.Write(pixel[(2 * samples)..], from.SequenceEqual(header.Transparency) ? (ushort)0 : ushort.MaxValue);
            return;
        }

        if (header.Depth == 8 && header.ColourType != 3)
        {
            var samples = header.Samples;
            var from = row.Slice(samples * x, samples);
            from.CopyTo(pixel);
            if (header.Transparency.IsEmpty) return;
            var isClear = true;
            for (var i = 0; i < samples; i++) isClear &= header.Transparency[2 * i] == 0 && header.Transparency[2 * i + 1] == from[i];
            pixel[samples] = isClear ? (byte)0 : (byte)255;
            return;
        }

        var bit = x * header.Depth;
        var value = row[bit >> 3] >> (8 - header.Depth - (bit & 7)) & ((1 << header.Depth) - 1);
        if (header.ColourType == 3)
        {
            // An index beyond the palette is an error that decoders show as black (clause 11.2.2).
            if (3 * value < header.Palette.Length) header.Palette.Slice(3 * value, 3).CopyTo(pixel);
            else pixel[..3].Clear();
            if (!header.Transparency.IsEmpty) pixel[3] = value < header.Transparency.Length ? header.Transparency[value] : (byte)255;
            return;
        }

        pixel[0] = (byte)(value * 255 / ((1 << header.Depth) - 1));
        if (!header.Transparency.IsEmpty) pixel[1] = BinaryPrimitives.ReadUInt16BigEndian(header.Transparency) == value ? (byte)0 : (byte)255;
    }
}
