using System.Buffers;
using System.IO.Compression;

namespace Platform.Codecs.Deflated;

/// <summary>
/// Deflated Image Frame Compression, 1.2.840.10008.1.2.8.1 (PS3.5 A.4.15): each frame's native pixels as a Deflate stream (RFC 1951),
/// padded to an even length.
/// </summary>
public sealed class DeflatedFrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        var length = FrameLimits.Check(expected, options);
        using var frame = PooledBytes.Zeroed(length);
        var rented = ArrayPool<byte>.Shared.Rent(checked((int)Math.Min(encoded.Length, Array.MaxLength)));
        using var compressed = new MemoryStream(rented, 0, (int)encoded.Length, writable: false);
        try
        {
            encoded.CopyTo(rented);
            using var inflate = new DeflateStream(compressed, CompressionMode.Decompress, leaveOpen: true);
            for (var read = 0; read < length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = inflate.Read(frame.Span.Slice(read, Math.Min(1 << 20, length - read)));
                if (count == 0) throw new InvalidFrameException("The frame inflates to fewer pixels than it has.", compressed.Position);
                read += count;
            }
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidFrameException("The frame does not inflate.", compressed.Position, exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        if (expected.IsPlanar && expected.SamplesPerPixel > 1) Interleave(frame.Span, expected, pixels);
        else
        {
            SampleBits.Normalize(frame.Span, expected);
            pixels.Write(frame.Span);
        }

        return expected with { IsPlanar = false };
    }

    private static void Interleave(Span<byte> planes, in FrameDescription frame, IBufferWriter<byte> pixels)
    {
        var (samples, size) = (frame.SamplesPerPixel, frame.BytesPerSample);
        var plane = planes.Length / samples;
        using var joined = PooledBytes.Zeroed(planes.Length);
        for (var sample = 0; sample < samples; sample++)
        {
            var from = planes.Slice(sample * plane, plane);
            for (int i = 0, at = sample * size; i < plane; i += size, at += samples * size) from.Slice(i, size).CopyTo(joined.Span[at..]);
        }

        SampleBits.Normalize(joined.Span, frame);
        pixels.Write(joined.Span);
    }
}
