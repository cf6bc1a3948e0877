using System.Buffers;
using System.Runtime.InteropServices;
using Platform.Codecs.Jpeg;

namespace Platform.Codecs.JpegLossless;

/// <summary>
/// JPEG lossless, processes 14 and 14 with selection value 1, 1.2.840.10008.1.2.4.57 and .70 (T.81 annex H): Huffman-coded
/// differences from one of seven predictors, 2 to 16 bits, one or three components, in one scan or one each.
/// </summary>
public sealed class JpegLosslessFrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        FrameLimits.Check(expected, options);
        using var pooled = PooledBytes.Contiguous(encoded, out var bytes);
        var headers = JpegHeaders.Begin(bytes);
        if (!headers.ReadToScan(bytes, out var scan)) throw new InvalidFrameException("The frame has no scan.", headers.Position);
        if (headers.Process != JpegMarker.Sof3) throw new InvalidFrameException($"The stream is not lossless Huffman JPEG (process 0x{headers.Process:X2}).");
        var (width, height, count, precision) = (headers.Width, headers.Height, headers.ComponentCount, headers.Precision);
        if (width != expected.Columns || height != expected.Rows || count != expected.SamplesPerPixel)
            throw new InvalidFrameException($"The stream holds {width} x {height} x {count}, {expected.Columns} x {expected.Rows} x {expected.SamplesPerPixel} expected.");
        if (precision is < 2 or > 16 || precision > expected.BitsAllocated) throw new InvalidFrameException($"Samples of {precision} bits do not fit {expected.BitsAllocated}.");
        foreach (var component in headers.Components.AsSpan(0, count))
        {
            if (component.H != 1 || component.V != 1) throw new InvalidFrameException("Subsampled components are not supported in lossless JPEG.");
        }

        // Decoded as 16 bits, whatever the container: prediction is modulo 2^16 (H.1.2.1).
        var samples = FrameLimits.CheckLength(2L * width * height * count, options) / 2;
        using var work = PooledBytes.Zeroed(2 * samples);
        var frame = MemoryMarshal.Cast<byte, ushort>(work.Span);
        do
        {
            DecodeScan(bytes, headers, scan, frame, cancellationToken);
        }
        while (headers.ReadToScan(bytes, out scan));
        foreach (var component in headers.Components.AsSpan(0, count))
        {
            if (!component.IsDecoded) throw new InvalidFrameException("A component has no scan.", headers.Position);
        }

        var produced = expected with { BitsStored = Math.Min(expected.BitsStored, expected.BitsAllocated), IsPlanar = false };
        Write(frame, produced, pixels);
        return produced;
    }

    private static void DecodeScan(ReadOnlySpan<byte> bytes, JpegHeaders headers, in JpegScan scan, Span<ushort> frame, CancellationToken cancellationToken)
    {
        int predictor = scan.SpectralStart, shift = scan.Low, stride = headers.ComponentCount, width = headers.Width;
        if (predictor is < 1 or > 7) throw new InvalidFrameException($"There is no predictor {predictor}.", headers.Position);
        if (shift >= headers.Precision) throw new InvalidFrameException("The point transform leaves no bits.", headers.Position);
        if (headers.RestartInterval % width != 0) throw new InvalidFrameException("Restart intervals are not whole rows.", headers.Position); // H.1.1
        for (var i = 0; i < scan.Count; i++)
        {
            if (!headers.Dc[headers.Components[scan[i]].DcTable].IsDefined) throw new InvalidFrameException("A Huffman table is missing.", headers.Position);
            headers.Components[scan[i]].IsDecoded = true;
        }

        var reader = new EntropyReader(bytes, headers.Position);
        var start = 1 << (headers.Precision - shift - 1);
        var rowsPerRestart = headers.RestartInterval / width;
        var rowLength = width * stride;
        for (var row = 0; row < headers.Height; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isFirst = row == 0;
            if (rowsPerRestart > 0 && row > 0 && row % rowsPerRestart == 0)
            {
                reader.ReadRestart(row / rowsPerRestart - 1);
                isFirst = true;
            }
            var current = frame.Slice(row * rowLength, rowLength);
            var above = isFirst ? default : frame.Slice((row - 1) * rowLength, rowLength);
            if (scan.Count == 1)
            {
                DecodeRow(ref reader, headers.Dc[headers.Components[scan.First].DcTable], current[scan.First..], isFirst ? default : above[scan.First..], stride, predictor, start);
            }
            else
            {
                DecodeInterleavedRow(ref reader, headers, scan, current, above, predictor, start);
            }
        }

        if (shift > 0)
        {
            for (var i = 0; i < scan.Count; i++)
            {
                for (var at = scan[i]; at < frame.Length; at += stride) frame[at] <<= shift;
            }
        }
        headers.Position = reader.FindEnd();
    }

    private static void DecodeRow(ref EntropyReader reader, HuffmanTable table, Span<ushort> row, ReadOnlySpan<ushort> above, int stride, int predictor, int start)
    {
        // H.1.2.1: the first row predicts from the left, the first sample of a row from above.
        var left = (ushort)((above.IsEmpty ? start : above[0]) + ReadDifference(ref reader, table));
        row[0] = left;
        if (above.IsEmpty || predictor == 1)
        {
            for (var at = stride; at < row.Length; at += stride) row[at] = left = (ushort)(left + ReadDifference(ref reader, table));
            return;
        }
        for (var at = stride; at < row.Length; at += stride)
        {
            row[at] = left = (ushort)(Predict(predictor, left, above[at], above[at - stride]) + ReadDifference(ref reader, table));
        }
    }

    private static void DecodeInterleavedRow(ref EntropyReader reader, JpegHeaders headers, in JpegScan scan, Span<ushort> row, ReadOnlySpan<ushort> above, int predictor, int start)
    {
        var stride = headers.ComponentCount;
        for (var pixel = 0; pixel < row.Length; pixel += stride)
        {
            for (var i = 0; i < scan.Count; i++)
            {
                var at = pixel + scan[i];
                var prediction = pixel == 0 ? (above.IsEmpty ? start : above[at])
                    : above.IsEmpty ? row[at - stride]
                    : Predict(predictor, row[at - stride], above[at], above[at - stride]);
                row[at] = (ushort)(prediction + ReadDifference(ref reader, headers.Dc[headers.Components[scan[i]].DcTable]));
            }
        }
    }

    // T.81 table H.1: a left, b above, c above left.
    private static int Predict(int predictor, int a, int b, int c) => predictor switch
    {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    };

    private static int ReadDifference(ref EntropyReader reader, HuffmanTable table)
    {
        var category = table.Decode(ref reader);
        if (category < 16) return reader.ReadExtended(category);
        if (category > 16) throw new InvalidFrameException("A difference has more than 16 bits.", reader.Position);
        return 32768; // H.1.2.2: no bits follow
    }

    private static void Write(ReadOnlySpan<ushort> frame, in FrameDescription produced, IBufferWriter<byte> pixels)
    {
        using var buffer = PooledBytes.Zeroed((int)produced.ByteLength);
        switch (produced.BitsAllocated)
        {
            case 8:
                for (var i = 0; i < frame.Length; i++) buffer.Span[i] = (byte)frame[i];
                break;
            case 16:
                MemoryMarshal.AsBytes(frame).CopyTo(buffer.Span);
                break;
            case 32:
                var wide = MemoryMarshal.Cast<byte, uint>(buffer.Span);
                for (var i = 0; i < frame.Length; i++) wide[i] = frame[i];
                break;
            default:
                throw new InvalidFrameException("Lossless JPEG does not hold samples of one bit.");
        }
        SampleBits.Normalize(buffer.Span, produced);
        pixels.Write(buffer.Span);
    }
}
