using System.Buffers;
using System.Buffers.Binary;

namespace Platform.Codecs.Rle;

/// <summary>
/// RLE Lossless, 1.2.840.10008.1.2.5 (PS3.5 annex G): each byte of the samples, highest first, is a segment of its own, packed as
/// literal and replicated runs.
/// </summary>
public sealed class RleFrameDecoder : IFrameDecoder
{
    internal const int HeaderLength = 64, MaxSegments = 15;

    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var length = FrameLimits.Check(expected, options);
        using var pooled = PooledBytes.Contiguous(encoded, out var bytes);
        if (bytes.Length < HeaderLength) throw new InvalidFrameException("The RLE header is cut off.", bytes.Length);

        var samples = expected.SamplesPerPixel;
        var bytesPerSample = expected.BytesPerSample;
        var segments = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (segments != samples * bytesPerSample) throw new InvalidFrameException($"{segments} RLE segments, {samples * bytesPerSample} expected.", 0);

        using var frame = PooledBytes.Zeroed(length);
        for (var segment = 0; segment < segments; segment++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (start, end) = RangeOf(bytes, segment, segments);
            // G.2: the segments of a sample go from its most significant byte down; in memory it is little endian.
            var sample = segment / bytesPerSample;
            var at = sample * bytesPerSample + (bytesPerSample - 1 - segment % bytesPerSample);
            Unpack(bytes[start..end], frame.Span[at..], segments, start);
        }

        SampleBits.Normalize(frame.Span, expected);
        pixels.Write(frame.Span);
        return expected with { IsPlanar = false };
    }

    private static (int Start, int End) RangeOf(ReadOnlySpan<byte> bytes, int segment, int segments)
    {
        var start = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + 4 * segment)..]);
        var end = segment + 1 < segments ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[(8 + 4 * segment)..]) : (uint)bytes.Length;
        if (start < HeaderLength || start > end || end > bytes.Length) throw new InvalidFrameException($"RLE segment {segment} lies outside the frame.", 4 + 4 * segment);
        return ((int)start, (int)end);
    }

    /// <summary>Unpacks one segment into every <paramref name="stride"/>th byte of <paramref name="target"/> (G.3.2).</summary>
    private static void Unpack(ReadOnlySpan<byte> source, Span<byte> target, int stride, int offset)
    {
        int from = 0, to = 0;
        while (to < target.Length)
        {
            if (from >= source.Length) throw new InvalidFrameException("An RLE segment ends before its last pixel.", offset + from);
            var control = (sbyte)source[from++];
            if (control == sbyte.MinValue) continue; // no operation
            var count = control >= 0 ? control + 1 : 1 - control;
            var needed = control >= 0 ? count : 1;
            if (needed > source.Length - from) throw new InvalidFrameException("An RLE run is cut off.", offset + from);
            // Encoders exist that pad the last run beyond the frame: what is left over is not pixels.
            var left = (target.Length - to + stride - 1) / stride;
            var take = Math.Min(count, left);
            if (control >= 0)
            {
                if (stride == 1) source.Slice(from, take).CopyTo(target[to..]);
                else for (var i = 0; i < take; i++) target[to + i * stride] = source[from + i];
            }
            else
            {
                var value = source[from];
                if (stride == 1) target.Slice(to, take).Fill(value);
                else for (var i = 0; i < take; i++) target[to + i * stride] = value;
            }
            from += needed;
            to += take * stride;
        }
    }
}
