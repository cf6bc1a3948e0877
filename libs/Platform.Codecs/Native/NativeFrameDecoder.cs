using System.Buffers;

namespace Platform.Codecs.Native;

/// <summary>
/// Native pixels (PS3.5 8.1.1, 8.2): little endian as they stand, brought into the form that all decoders give. Colour by plane becomes
/// colour by pixel, YBR_FULL_422 (PS3.3 C.7.6.3.1.2: Y Y Cb Cr for two pixels) becomes YBR_FULL.
/// </summary>
public sealed class NativeFrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var length = FrameLimits.Check(expected, options);
        var is422 = expected is { Photometric: Photometric.YbrFull422, SamplesPerPixel: 3, BitsAllocated: 8 };
        var stored = is422 ? 2L * expected.Rows * expected.Columns : length;
        if (is422 && expected.Columns % 2 != 0) throw new InvalidFrameException("YBR_FULL_422 has an even number of columns.");
        // One byte more is the padding to an even length.
        if (encoded.Length != stored && encoded.Length != stored + 1) throw new InvalidFrameException($"The frame has {encoded.Length} bytes, {stored} expected.", Math.Min(stored, encoded.Length));

        using var pooled = PooledBytes.Contiguous(encoded.Slice(0, stored), out var bytes);
        using var frame = PooledBytes.Zeroed(length);
        if (is422) Expand(bytes, frame.Span);
        else if (expected is { IsPlanar: true, SamplesPerPixel: 3, BitsAllocated: >= 8 }) Interleave(bytes, expected.BytesPerSample, frame.Span);
        else bytes.CopyTo(frame.Span);

        var produced = expected with { IsPlanar = false, Photometric = is422 ? Photometric.YbrFull : expected.Photometric };
        SampleBits.Normalize(frame.Span, produced);
        pixels.Write(frame.Span);
        return produced;
    }

    private static void Expand(ReadOnlySpan<byte> bytes, Span<byte> frame)
    {
        for (int from = 0, to = 0; from < bytes.Length; from += 4, to += 6)
        {
            (frame[to], frame[to + 1], frame[to + 2]) = (bytes[from], bytes[from + 2], bytes[from + 3]);
            (frame[to + 3], frame[to + 4], frame[to + 5]) = (bytes[from + 1], bytes[from + 2], bytes[from + 3]);
        }
    }

    private static void Interleave(ReadOnlySpan<byte> planes, int size, Span<byte> frame)
    {
        var plane = planes.Length / 3;
        for (var sample = 0; sample < 3; sample++)
        {
            var from = planes.Slice(sample * plane, plane);
            for (int i = 0, at = sample * size; i < plane; i += size, at += 3 * size) from.Slice(i, size).CopyTo(frame[at..]);
        }
    }
}
