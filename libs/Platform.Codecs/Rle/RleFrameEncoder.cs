using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Codecs.Rle;

/// <summary>
/// RLE Lossless, 1.2.840.10008.1.2.5 (PS3.5 annex G). Runs never cross a row, as G.3.1 asks.
/// </summary>
public sealed class RleFrameEncoder : IFrameEncoder
{
    private const int MaxRun = 128;

    public string Recipe => "rle/1";

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        frame.Validate();
        if (pixels.Length != frame.ByteLength) throw new ArgumentException($"{pixels.Length} bytes of pixels, {frame.ByteLength} expected.", nameof(pixels));
        var segments = frame.SamplesPerPixel * frame.BytesPerSample;
        if (segments > RleFrameDecoder.MaxSegments) throw new ArgumentException("RLE has at most 15 segments.", nameof(frame));

        // The plane of one segment, and the packed segments: a literal costs at most one control byte for every 128.
        var planeLength = pixels.Length / segments;
        var rowLength = frame.BitsAllocated == 1 ? planeLength : frame.Columns;
        var rows = planeLength / rowLength;
        var packedBound = checked(segments * (rows * (rowLength + (rowLength + MaxRun - 1) / MaxRun) + 1));
        using var plane = PooledBytes.Zeroed(planeLength);
        using var packed = PooledBytes.Zeroed(RleFrameDecoder.HeaderLength + packedBound);

        BinaryPrimitives.WriteInt32LittleEndian(packed.Span, segments);
        var at = RleFrameDecoder.HeaderLength;
        for (var segment = 0; segment < segments; segment++)
        {
            var sample = segment / frame.BytesPerSample;
            var offset = sample * frame.BytesPerSample + (frame.BytesPerSample - 1 - segment % frame.BytesPerSample);
            for (int i = 0, from = offset; i < planeLength; i++, from += segments) plane.Span[i] = pixels[from];

            BinaryPrimitives.WriteInt32LittleEndian(packed.Span[(4 + 4 * segment)..], at);
            for (var row = 0; row < rows; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                at += Pack(plane.Span.Slice(row * rowLength, rowLength), packed.Span[at..]);
            }
            if ((at & 1) != 0) packed.Span[at++] = 0; // G.5: segments have even length
        }

        stream.Write(packed.Span[..at]);
    }

    private static int Pack(ReadOnlySpan<byte> row, Span<byte> target)
    {
        int from = 0, to = 0;
        while (from < row.Length)
        {
            var run = RunAt(row, from);
            if (run >= 2)
            {
                target[to++] = (byte)(1 - run);
                target[to++] = row[from];
                from += run;
                continue;
            }

            // A literal goes on until a run of three, or two runs of two: a shorter one would cost what it saves.
            var end = from + 1;
            while (end < row.Length && end - from < MaxRun && RunAt(row, end) < 3) end++;
            target[to++] = (byte)(end - from - 1);
            row[from..end].CopyTo(target[to..]);
            to += end - from;
            from = end;
        }
        return to;
    }

    private static int RunAt(ReadOnlySpan<byte> row, int at)
    {
        var rest = row.Slice(at, Math.Min(MaxRun, row.Length - at));
        var other = rest.IndexOfAnyExcept(rest[0]);
        return other < 0 ? rest.Length : other;
    }
}
