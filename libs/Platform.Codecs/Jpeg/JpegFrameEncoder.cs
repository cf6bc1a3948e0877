using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// Encodes 8-bit grey or RGB as baseline JPEG (T.81) in a JFIF stream: for pictures to look at, never for pixels to keep. Colour is
/// sampled at half the resolution each way below quality 90, else at full.
/// </summary>
public sealed class JpegFrameEncoder
{
    private static readonly HuffmanCodes DcLuminance = new(JpegTables.DcLuminanceCounts, JpegTables.DcSymbols);
    private static readonly HuffmanCodes AcLuminance = new(JpegTables.AcLuminanceCounts, JpegTables.AcLuminanceSymbols);
    private static readonly HuffmanCodes DcChrominance = new(JpegTables.DcChrominanceCounts, JpegTables.DcSymbols);
    private static readonly HuffmanCodes AcChrominance = new(JpegTables.AcChrominanceCounts, JpegTables.AcChrominanceSymbols);

    /// <summary>The name and output version of what is made.</summary>
    public string Recipe => "jpeg/1";

    /// <summary>Encodes a picture.</summary>
    /// <param name="pixels">Rows of 1 (grey) or 3 (red, green, blue) bytes per pixel, no padding.</param>
    /// <param name="width">1 to 65,535.</param>
    /// <param name="height">1 to 65,535.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="quality">1 (coarse) to 100 (fine).</param>
    /// <param name="stream">Takes the JFIF stream.</param>
    /// <param name="cancellationToken">Checked per row of blocks.</param>
    public void Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels, int quality, IBufferWriter<byte> stream, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, checked(width * height * channels));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels));

        Span<ushort> luminance = stackalloc ushort[64];
        Span<ushort> chrominance = stackalloc ushort[64];
        JpegTables.Scale(JpegTables.Luminance, quality, luminance);
        JpegTables.Scale(JpegTables.Chrominance, quality, chrominance);
        var sampling = channels == 3 && quality < 90 ? 2 : 1;

        WriteHeaders(stream, width, height, channels, sampling, luminance, chrominance);
        var writer = new EntropyWriter(stream);
        Span<int> block = stackalloc int[64];
        Span<int> predictions = stackalloc int[3];
        var unit = 8 * sampling;
        for (var top = 0; top < height; top += unit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var left = 0; left < width; left += unit)
            {
                if (channels == 1)
                {
                    ReadGrey(pixels, width, height, left, top, block);
                    EncodeBlock(ref writer, block, luminance, ref predictions[0], DcLuminance, AcLuminance);
                    continue;
                }
                for (var at = 0; at < sampling * sampling; at++)
                {
                    ReadColour(pixels, width, height, left + 8 * (at % sampling), top + 8 * (at / sampling), 1, 0, block);
                    EncodeBlock(ref writer, block, luminance, ref predictions[0], DcLuminance, AcLuminance);
                }
                for (var component = 1; component < 3; component++)
                {
                    ReadColour(pixels, width, height, left, top, sampling, component, block);
                    EncodeBlock(ref writer, block, chrominance, ref predictions[component], DcChrominance, AcChrominance);
                }
            }
        }
        writer.Finish();
        stream.Write((ReadOnlySpan<byte>)[0xFF, JpegMarker.Eoi]);
    }

    private static void EncodeBlock(ref EntropyWriter writer, scoped Span<int> block, scoped ReadOnlySpan<ushort> quantization, scoped ref int prediction, HuffmanCodes dc, HuffmanCodes ac)
    {
        ForwardDct.Transform(block);
        for (var i = 0; i < 64; i++)
        {
            // The transform's factor 8 goes with the quantization; halves round away from zero.
            var divisor = quantization[i] << 3;
            var value = block[i];
            block[i] = value >= 0 ? (value + (divisor >> 1)) / divisor : -((-value + (divisor >> 1)) / divisor);
        }

        var difference = block[0] - prediction;
        prediction = block[0];
        var category = CategoryOf(difference);
        writer.Write(dc[category]);
        writer.WriteMagnitude(difference, category);
        var run = 0;
        for (var k = 1; k < 64; k++)
        {
            var value = block[ZigZag.ToNatural[k]];
            if (value == 0)
            {
                run++;
                continue;
            }
            for (; run > 15; run -= 16) writer.Write(ac[0xF0]);
            category = CategoryOf(value);
            writer.Write(ac[run << 4 | category]);
            writer.WriteMagnitude(value, category);
            run = 0;
        }
        if (run > 0) writer.Write(ac[0]);
    }

    private static int CategoryOf(int value) => 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(value));

    // Pixels beyond the edge repeat it.
    private static void ReadGrey(ReadOnlySpan<byte> pixels, int width, int height, int left, int top, Span<int> block)
    {
        for (var y = 0; y < 8; y++)
        {
            var row = pixels.Slice(Math.Min(top + y, height - 1) * width, width);
            for (var x = 0; x < 8; x++) block[8 * y + x] = row[Math.Min(left + x, width - 1)] - 128;
        }
    }

    private static void ReadColour(ReadOnlySpan<byte> pixels, int width, int height, int left, int top, int sampling, int component, Span<int> block)
    {
        for (var y = 0; y < 8; y++)
        {
            for (var x = 0; x < 8; x++)
            {
                var sum = 0;
                for (var dy = 0; dy < sampling; dy++)
                {
                    var row = pixels.Slice(3 * Math.Min(top + y * sampling + dy, height - 1) * width, 3 * width);
                    for (var dx = 0; dx < sampling; dx++)
                    {
                        sum += Component(row[(3 * Math.Min(left + x * sampling + dx, width - 1))..], component);
                    }
                }
                block[8 * y + x] = sampling == 1 ? sum : (sum + 2) >> 2;
            }
        }
    }

    // BT.601 full range around zero, 16-bit fixed point (JFIF 1.02).
    private static int Component(ReadOnlySpan<byte> rgb, int component)
    {
        const int Half = 1 << 15;
        int r = rgb[0], g = rgb[1], b = rgb[2];
        return component switch
        {
            0 => ((19595 * r + 38470 * g + 7471 * b + Half) >> 16) - 128,
            1 => (-11059 * r - 21709 * g + 32768 * b + Half - 1) >> 16,
            _ => (32768 * r - 27439 * g - 5329 * b + Half - 1) >> 16,
        };
    }

    private static void WriteHeaders(IBufferWriter<byte> stream, int width, int height, int channels, int sampling, ReadOnlySpan<ushort> luminance, ReadOnlySpan<ushort> chrominance)
    {
        stream.Write((ReadOnlySpan<byte>)[0xFF, JpegMarker.Soi]);
        WriteSegment(stream, JpegMarker.App0, "JFIF\0\u0001\u0002\0\0\u0001\0\u0001\0\0"u8);
        WriteQuantization(stream, 0, luminance);
        if (channels == 3) WriteQuantization(stream, 1, chrominance);

        Span<byte> frame = stackalloc byte[6 + 3 * channels];
        frame[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(frame[1..], (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(frame[3..], (ushort)width);
        frame[5] = (byte)channels;
        Span<byte> scan = stackalloc byte[4 + 2 * channels];
        scan[0] = (byte)channels;
        for (var i = 0; i < channels; i++)
        {
            var kind = i == 0 ? 0 : 1;
            frame[6 + 3 * i] = (byte)(i + 1);
            frame[7 + 3 * i] = (byte)(i == 0 ? sampling << 4 | sampling : 0x11);
            frame[8 + 3 * i] = (byte)kind;
            scan[1 + 2 * i] = (byte)(i + 1);
            scan[2 + 2 * i] = (byte)(kind << 4 | kind);
        }
        scan[^2] = 63; // all coefficients, at once
        WriteSegment(stream, JpegMarker.Sof0, frame);
        WriteHuffman(stream, 0x00, JpegTables.DcLuminanceCounts, JpegTables.DcSymbols);
        WriteHuffman(stream, 0x10, JpegTables.AcLuminanceCounts, JpegTables.AcLuminanceSymbols);
        if (channels == 3)
        {
            WriteHuffman(stream, 0x01, JpegTables.DcChrominanceCounts, JpegTables.DcSymbols);
            WriteHuffman(stream, 0x11, JpegTables.AcChrominanceCounts, JpegTables.AcChrominanceSymbols);
        }
        WriteSegment(stream, JpegMarker.Sos, scan);
    }

    private static void WriteQuantization(IBufferWriter<byte> stream, byte id, ReadOnlySpan<ushort> table)
    {
        Span<byte> segment = stackalloc byte[65];
        segment[0] = id;
        for (var k = 0; k < 64; k++) segment[1 + k] = (byte)table[ZigZag.ToNatural[k]];
        WriteSegment(stream, JpegMarker.Dqt, segment);
    }

    private static void WriteHuffman(IBufferWriter<byte> stream, byte id, ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        Span<byte> segment = stackalloc byte[1 + counts.Length + symbols.Length];
        segment[0] = id;
        counts.CopyTo(segment[1..]);
        symbols.CopyTo(segment[(1 + counts.Length)..]);
        WriteSegment(stream, JpegMarker.Dht, segment);
    }

    private static void WriteSegment(IBufferWriter<byte> stream, byte marker, ReadOnlySpan<byte> content)
    {
        stream.Write((ReadOnlySpan<byte>)[0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2)]);
        stream.Write(content);
    }
}
