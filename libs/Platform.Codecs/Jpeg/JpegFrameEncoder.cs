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
    private readonly bool _isVectorized;

    public JpegFrameEncoder()
        : this(isVectorized: true)
    {
    }

    /// <summary>For tests: the scalar twin, which gives the same bytes.</summary>
    internal JpegFrameEncoder(bool isVectorized) => _isVectorized = isVectorized;

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
        var unit = 8 * sampling;
        var stride = (width + unit - 1) / unit * unit;
        var planes = ArrayPool<short>.Shared.Rent(checked(channels * unit * stride));
        try
        {
            var writer = new EntropyWriter(stream);
            Span<int> predictions = stackalloc int[3];
            Span<short> y = planes.AsSpan(0, unit * stride), cb = channels == 1 ? default : planes.AsSpan(unit * stride, unit * stride), cr = channels == 1 ? default : planes.AsSpan(2 * unit * stride, unit * stride);
            for (var top = 0; top < height; top += unit)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var row = 0; row < unit; row++)
                {
                    // Pixels beyond the edge repeat it.
                    var source = pixels.Slice(Math.Min(top + row, height - 1) * width * channels, width * channels);
                    var at = row * stride;
                    if (channels == 1) PixelRows.ReadGrey(source, y.Slice(at, stride), _isVectorized);
                    else PixelRows.ReadRgb(source, y.Slice(at, stride), cb.Slice(at, stride), cr.Slice(at, stride), _isVectorized);
                }
                for (var left = 0; left < stride; left += unit)
                {
                    for (var block = 0; block < sampling * sampling; block++)
                        EncodeBlock(ref writer, y[(8 * (block / sampling) * stride + left + 8 * (block % sampling))..], stride, 1, luminance, ref predictions[0], DcLuminance, AcLuminance);
                    if (channels == 1) continue;
                    EncodeBlock(ref writer, cb[left..], stride, sampling, chrominance, ref predictions[1], DcChrominance, AcChrominance);
                    EncodeBlock(ref writer, cr[left..], stride, sampling, chrominance, ref predictions[2], DcChrominance, AcChrominance);
                }
            }
            writer.Finish();
        }
        finally
        {
            ArrayPool<short>.Shared.Return(planes);
        }
        stream.Write((ReadOnlySpan<byte>)[0xFF, JpegMarker.Eoi]);
    }

    private void EncodeBlock(ref EntropyWriter writer, scoped ReadOnlySpan<short> plane, int stride, int sampling, scoped ReadOnlySpan<ushort> quantization, scoped ref int prediction, HuffmanCodes dc, HuffmanCodes ac)
    {
        Span<int> block = stackalloc int[64];
        var left = ForwardDct.TransformAndQuantize(plane, stride, sampling, quantization, block, _isVectorized);
        var difference = block[0] - prediction;
        prediction = block[0];
        writer.Write(dc, CategoryOf(difference), difference, CategoryOf(difference));
        if (block[0] != 0) left--;
        var run = 0;
        for (var k = 1; left > 0; k++)
        {
            var value = block[ZigZag.ToNatural[k]];
            if (value == 0)
            {
                run++;
                continue;
            }
            for (; run > 15; run -= 16) writer.Write(ac, 0xF0, 0, 0);
            var category = CategoryOf(value);
            writer.Write(ac, run << 4 | category, value, category);
            run = 0;
            left--;
            if (left == 0 && k == 63) return;
        }
        writer.Write(ac, 0, 0, 0);  // end of block
    }

    private static int CategoryOf(int value) => 32 - BitOperations.LeadingZeroCount((uint)Math.Abs(value));

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
