using System.Buffers;
using System.Runtime.CompilerServices;
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
        try
        {
            return Decode(bytes, headers, expected, pixels, options, cancellationToken);
        }
        catch (InvalidFrameException exception)
        {
            exception.Locate(headers.Marker, headers.Position);
            throw;
        }
    }

    private static FrameDescription Decode(ReadOnlySpan<byte> bytes, JpegHeaders headers, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        if (!headers.ReadToScan(bytes, out var scan)) throw new InvalidFrameException("The frame has no scan.", headers.Position);
        if (headers.Process != JpegMarker.Sof3) throw new InvalidFrameException($"The stream is not lossless Huffman JPEG (process 0x{headers.Process:X2}).");
        var (width, height, count, precision) = (headers.Width, headers.Height, headers.ComponentCount, headers.Precision);
        if (width != expected.Columns || height != expected.Rows || count != expected.SamplesPerPixel)
            throw new InvalidFrameException($"The stream holds {width} x {height} x {count}, {expected.Columns} x {expected.Rows} x {expected.SamplesPerPixel} expected.");
        if (precision is < 2 or > 16 || precision > expected.BitsAllocated || expected.BitsAllocated == 1) throw new InvalidFrameException($"Samples of {precision} bits do not fit {expected.BitsAllocated}.");
        foreach (var component in headers.Components.AsSpan(0, count))
        {
            if (component.H != 1 || component.V != 1) throw new InvalidFrameException("Subsampled components are not supported in lossless JPEG.");
        }

        // Decoded as 16 bits, whatever the container: prediction is modulo 2^16 (H.1.2.1).
        var samples = FrameLimits.CheckLength(2L * width * height * count, options) / 2;
        using var work = PooledBytes.Rent(2 * samples); // every sample is decoded before it is looked at
        var frame = MemoryMarshal.Cast<byte, ushort>(work.Span);
        using var segment = headers.Segment;
        do
        {
            DecodeScan(bytes, headers, scan, segment, frame, cancellationToken);
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

    private static void DecodeScan(ReadOnlySpan<byte> bytes, JpegHeaders headers, in JpegScan scan, EntropySegment segment, Span<ushort> frame, CancellationToken cancellationToken)
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

        var reader = segment.Begin(bytes, headers.Position);
        var start = 1 << (headers.Precision - shift - 1);
        var rowsPerRestart = headers.RestartInterval / width;
        var rowLength = width * stride;
        for (var row = 0; row < headers.Height; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isFirst = row == 0;
            if (rowsPerRestart > 0 && row > 0 && row % rowsPerRestart == 0)
            {
                reader = segment.Restart(bytes, reader, row / rowsPerRestart - 1);
                isFirst = true;
            }
            var current = frame.Slice(row * rowLength, rowLength);
            var above = isFirst ? default : frame.Slice((row - 1) * rowLength, rowLength);
            var isRead = scan.Count == 1
                ? ReadDifferences(ref reader, headers.Dc[headers.Components[scan.First].DcTable], current[scan.First..], stride)
                : ReadDifferencesInTurns(ref reader, headers, scan, current);
            if (!isRead || reader.IsCutOff) throw segment.Broken(bytes, reader, "No Huffman code of a difference stands here.");
            for (var i = 0; i < scan.Count; i++) AddPredictions(current[scan[i]..], isFirst ? default : above[scan[i]..], stride, predictor, start);
        }

        if (shift > 0)
        {
            for (var i = 0; i < scan.Count; i++)
            {
                for (var at = scan[i]; at < frame.Length; at += stride) frame[at] <<= shift;
            }
        }
        headers.Position = segment.FindEnd(bytes);
    }

    /// <summary>The differences of a row of one component; false where no code stands.</summary>
    private static bool ReadDifferences(ref EntropyReader source, HuffmanTable table, Span<ushort> row, int stride)
    {
        var reader = source;
        var at = 0;
        for (; at < row.Length; at += stride)
        {
            var entry = reader.Decode(table, out var bits);
            if (!TryExtend(entry, bits, out row[at])) break;
        }
        source = reader;
        return at >= row.Length;
    }

    private static bool ReadDifferencesInTurns(ref EntropyReader source, JpegHeaders headers, in JpegScan scan, Span<ushort> row)
    {
        for (var pixel = 0; pixel < row.Length; pixel += headers.ComponentCount)
        {
            for (var i = 0; i < scan.Count; i++)
            {
                var entry = source.Decode(headers.Dc[headers.Components[scan[i]].DcTable], out var bits);
                if (!TryExtend(entry, bits, out row[pixel + scan[i]])) return false;
            }
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryExtend(uint entry, ulong bits, out ushort difference)
    {
        var category = (int)(entry >> 8 & 0xFF);
        difference = category == 16 ? (ushort)32768 : (ushort)EntropyReader.Extend(bits, (int)(entry >> 16), category); // H.1.2.2: no bits follow category 16
        return entry != 0 && category <= 16;
    }

    private static void AddPredictions(Span<ushort> row, ReadOnlySpan<ushort> above, int stride, int predictor, int start)
    {
        // H.1.2.1: the first row predicts from the left, the first sample of a row from above.
        var left = row[0] += above.IsEmpty ? (ushort)start : above[0];
        if (above.IsEmpty || predictor == 1)
        {
            for (var at = stride; at < row.Length; at += stride) row[at] = left += row[at];
            return;
        }
        above = above[..row.Length];
        for (var at = stride; at < row.Length; at += stride) row[at] = left = (ushort)(row[at] + Predict(predictor, left, above[at], above[at - stride]));
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

    private static void Write(ReadOnlySpan<ushort> frame, in FrameDescription produced, IBufferWriter<byte> pixels)
    {
        var length = produced.Columns * produced.SamplesPerPixel;
        for (var row = 0; row < produced.Rows; row++)
        {
            var target = pixels.GetSpan(length * produced.BytesPerSample)[..(length * produced.BytesPerSample)];
            PixelRows.Write(frame.Slice(row * length, length), target, produced.BytesPerSample);
            SampleBits.Normalize(target, produced);
            pixels.Advance(target.Length);
        }
    }
}
