using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Codecs.Gif;

/// <summary>
/// Decodes the first picture of a GIF (GIF89a specification, CompuServe 1990; GIF87a too): global and local palettes, interlaced or not, transparent
/// colours. What the picture leaves free of the screen is transparent. Later pictures of an animation are not looked at.
/// </summary>
public static class GifDecoder
{
    private const int MaxCodeBits = 12;
    private const byte ImageSeparator = 0x2C, ExtensionIntroducer = 0x21, Trailer = 0x3B, GraphicControl = 0xF9;

    /// <summary>Whether a file begins as a GIF does.</summary>
    public static bool IsGif(ReadOnlySpan<byte> file) => file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8);

    /// <summary>What a file says of itself, from what comes before its first picture's colours: 3 channels, or 4 where some of it is transparent.</summary>
    /// <exception cref="InvalidFrameException">It is no GIF.</exception>
    public static PictureInfo ReadInfo(ReadOnlySpan<byte> file) => ReadHeader(file).Info;

    /// <summary>Decodes a file's first picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="pixels">Takes the pixels; nothing is written when the file turns out broken.</param>
    /// <param name="options">Bounds; the picture's bytes are checked before anything is decoded.</param>
    /// <param name="cancellationToken">Checked per row.</param>
    /// <exception cref="InvalidFrameException">The file is broken or exceeds a bound.</exception>
    public static PictureInfo Decode(ReadOnlySequence<byte> file, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        if (options.ReduceLevels != 0) throw new InvalidFrameException("This format cannot be decoded at a lower resolution.");
        using var pooled = PooledBytes.Contiguous(file, out var bytes);
        var header = ReadHeader(bytes);
        var info = header.Info;
        var length = FrameLimits.CheckLength(info.ByteLength, options);
        using var indices = PooledBytes.Zeroed(FrameLimits.CheckLength((long)header.ImageWidth * header.ImageHeight, options));
        ReadIndices(bytes, header.DataOffset, indices.Span, cancellationToken);
        using var picture = PooledBytes.Zeroed(length);
        Paint(header, indices.Span, picture.Span, cancellationToken);
        pixels.Write(picture.Span);
        return info;
    }

    private ref struct Header
    {
        public int Width, Height;                                   // of the screen
        public int Left, Top, ImageWidth, ImageHeight, DataOffset;  // of the first picture
        public int ClearIndex;                                      // -1: none
        public bool IsInterlaced;
        public ReadOnlySpan<byte> Palette;                          // empty: the indices are greys

        public readonly PictureInfo Info => new(Width, Height, ClearIndex >= 0 || ImageWidth < Width || ImageHeight < Height ? 4 : 3, 8);
    }

    private static Header ReadHeader(ReadOnlySpan<byte> file)
    {
        if (!IsGif(file) || file.Length < 13) throw new InvalidFrameException("The file is no GIF.", 0);
        var header = new Header { Width = ReadNumber(file, 6), Height = ReadNumber(file, 8), ClearIndex = -1 };
        var position = 13;
        header.Palette = ReadPalette(file, file[10], ref position);
        while (true)
        {
            switch (At(file, position++))
            {
                case ExtensionIntroducer:
                    var label = At(file, position++);
                    if (label == GraphicControl && At(file, position) >= 4)
                    {
                        if (position + 4 >= file.Length) throw CutOff(file.Length);
                        header.ClearIndex = (file[position + 1] & 1) != 0 ? file[position + 4] : -1;
                    }
                    SkipBlocks(file, ref position);
                    break;
                case ImageSeparator:
                    if (position + 9 > file.Length) throw CutOff(file.Length);
                    (header.Left, header.Top, header.ImageWidth, header.ImageHeight) = (ReadNumber(file, position), ReadNumber(file, position + 2), ReadNumber(file, position + 4), ReadNumber(file, position + 6));
                    if (header.ImageWidth == 0 || header.ImageHeight == 0) throw new InvalidFrameException("The picture has no pixels.", position);
                    var flags = file[position + 8];
                    position += 9;
                    header.IsInterlaced = (flags & 0x40) != 0;
                    if (ReadPalette(file, flags, ref position) is { IsEmpty: false } local) header.Palette = local;
                    // Some files' pictures are larger than their screen; all of them is shown then.
                    (header.Width, header.Height) = (Math.Max(header.Width, header.Left + header.ImageWidth), Math.Max(header.Height, header.Top + header.ImageHeight));
                    header.DataOffset = position;
                    return header;
                case Trailer:
                    throw new InvalidFrameException("The file has no picture.", position - 1);
                default:
                    throw new InvalidFrameException("The file has a block that is not known.", position - 1);
            }
        }
    }

    private static ReadOnlySpan<byte> ReadPalette(ReadOnlySpan<byte> file, byte flags, scoped ref int position)
    {
        if ((flags & 0x80) == 0) return default;
        var length = 3 << ((flags & 7) + 1);
        if (position + length > file.Length) throw CutOff(file.Length);
        var palette = file.Slice(position, length);
        position += length;
        return palette;
    }

    private static void SkipBlocks(ReadOnlySpan<byte> file, scoped ref int position)
    {
        while (At(file, position) is not 0 and var length) position += 1 + length;
        position++;
    }

    /// <summary>Variable-length LZW (appendix F): codes of up to 12 bits, lowest bit first, in blocks of up to 255 bytes.</summary>
    private static void ReadIndices(ReadOnlySpan<byte> file, int position, Span<byte> indices, CancellationToken cancellationToken)
    {
        var literalBits = At(file, position++);
        if (literalBits is < 1 or > 8) throw new InvalidFrameException("The code size is none.", position - 1);
        var clear = 1 << literalBits;
        Span<short> prefixes = stackalloc short[1 << MaxCodeBits];
        Span<byte> suffixes = stackalloc byte[1 << MaxCodeBits];
        Span<byte> text = stackalloc byte[(1 << MaxCodeBits) + 1];
        for (var i = 0; i < clear; i++) (prefixes[i], suffixes[i]) = (-1, (byte)i);

        int next = clear + 2, bits = literalBits + 1, last = -1, written = 0, buffer = 0, available = 0, left = 0;
        byte first = 0;
        while (written < indices.Length)
        {
            while (available < bits)
            {
                if (left == 0)
                {
                    left = At(file, position++);
                    if (left == 0) throw new InvalidFrameException("The pixels are cut off.", position);
                    cancellationToken.ThrowIfCancellationRequested();
                }
                buffer |= At(file, position++) << available;
                available += 8;
                left--;
            }
            var code = buffer & ((1 << bits) - 1);
            buffer >>= bits;
            available -= bits;

            if (code == clear)
            {
                (next, bits, last) = (clear + 2, literalBits + 1, -1);
                continue;
            }
            if (code == clear + 1) throw new InvalidFrameException("The pixels are cut off.", position);
            if (last < 0 ? code > clear : code > next || (code == next && next == 1 << MaxCodeBits)) throw new InvalidFrameException("The pixels have a code that is none.", position);

            // A code that is only being defined stands for the last string and its own first index.
            var length = 0;
            var at = code;
            if (code == next)
            {
                text[length++] = first;
                at = last;
            }
            for (; at >= 0; at = prefixes[at]) text[length++] = suffixes[at];
            first = text[length - 1];
            for (var i = length - 1; i >= 0 && written < indices.Length; i--) indices[written++] = text[i];
            if (last >= 0 && next < 1 << MaxCodeBits)
            {
                (prefixes[next], suffixes[next]) = ((short)last, first);
                next++;
                if (next == 1 << bits && bits < MaxCodeBits) bits++;
            }
            last = code;
        }
    }

    private static void Paint(in Header header, ReadOnlySpan<byte> indices, Span<byte> picture, CancellationToken cancellationToken)
    {
        var channels = header.Info.Channels;
        for (var stored = 0; stored < header.ImageHeight; stored++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var row = header.IsInterlaced ? RowOf(stored, header.ImageHeight) : stored;
            var from = indices.Slice(stored * header.ImageWidth, header.ImageWidth);
            var to = picture.Slice(((header.Top + row) * header.Width + header.Left) * channels, header.ImageWidth * channels);
            for (int x = 0, at = 0; x < from.Length; x++, at += channels)
            {
                int index = from[x];
                if (channels == 4)
                {
                    if (index == header.ClearIndex) continue;
                    to[at + 3] = 255;
                }
                if (header.Palette.IsEmpty) to.Slice(at, 3).Fill((byte)index);
                else if (3 * index < header.Palette.Length) header.Palette.Slice(3 * index, 3).CopyTo(to[at..]);
                // an index beyond the palette stays black
            }
        }
    }

    /// <summary>Appendix E: every 8th row from 0, every 8th from 4, every 4th from 2, every 2nd from 1.</summary>
    private static int RowOf(int stored, int height)
    {
        ReadOnlySpan<(int First, int Step)> passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
        foreach (var (first, step) in passes)
        {
            var rows = height > first ? (height - first + step - 1) / step : 0;
            if (stored < rows) return first + stored * step;
            stored -= rows;
        }
        return 0;
    }

    private static int ReadNumber(ReadOnlySpan<byte> file, int position) => BinaryPrimitives.ReadUInt16LittleEndian(file[position..]);

    private static byte At(ReadOnlySpan<byte> file, int position) => position < file.Length ? file[position] : throw CutOff(file.Length);

    private static InvalidFrameException CutOff(int position) => new("The file is cut off.", position);
}
