using System.Buffers;
using System.Runtime.InteropServices;

namespace Platform.Codecs.Jpeg;

/// <summary>
/// JPEG with the cosine transform (ITU-T T.81): baseline, extended sequential with 8 or 12 bits, progressive; Huffman coding.
/// 1.2.840.10008.1.2.4.50, .51 and the retired .53 and .55. Colour comes out as RGB; subsampled components are interpolated as the
/// reference decoders do.
/// </summary>
public sealed class JpegFrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
        FrameLimits.Check(expected, options);
        return DecodeComponents(encoded, expected, pixels, options, cancellationToken);
    }

    /// <summary>As <see cref="Decode"/>, for pictures of four components too: those come out as they are in the stream.</summary>
    internal static FrameDescription DecodeComponents(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken)
    {
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
        Check(headers, expected);

        var components = headers.Components.AsSpan(0, headers.ComponentCount);
        var isProgressive = headers.Process == JpegMarker.Sof2;
        Span<int> offsets = stackalloc int[JpegHeaders.MaxComponents]; // of each component's samples, in blocks
        long blocks = 0;
        for (var i = 0; i < components.Length; i++)
        {
            offsets[i] = (int)blocks;
            blocks += (long)components[i].BlockColumns * components[i].BlockRows;
            FrameLimits.CheckLength(blocks * 128, options with { MaxFrameBytes = Math.Min(4 * options.MaxFrameBytes, Array.MaxLength) });
        }

        // Every sample is decoded before it is looked at; coefficients add up over scans.
        using var planes = PooledBytes.Rent((int)blocks * 128);
        using var coefficients = isProgressive ? PooledBytes.Zeroed((int)blocks * 128) : default;
        var samples = MemoryMarshal.Cast<byte, ushort>(planes.Span);
        var kept = MemoryMarshal.Cast<byte, short>(coefficients.Span);
        using var segment = headers.Segment;
        do
        {
            var scanner = new JpegScanDecoder(bytes, headers, scan, segment, cancellationToken);
            if (isProgressive) scanner.DecodeProgressive(kept, offsets);
            else scanner.DecodeSequential(samples, offsets);
        }
        while (headers.ReadToScan(bytes, out scan));

        for (var i = 0; i < components.Length; i++)
        {
            if (!components[i].IsDecoded) throw new InvalidFrameException("A component has no scan.", headers.Position);
            if (isProgressive) TransformAll(headers, components[i], kept[(64 * offsets[i])..], samples[(64 * offsets[i])..], cancellationToken);
        }
        return JpegOutput.Write(headers, expected, samples, offsets, pixels, cancellationToken);
    }

    private static void Check(JpegHeaders headers, in FrameDescription expected)
    {
        if (headers.Process is not (JpegMarker.Sof0 or JpegMarker.Sof1 or JpegMarker.Sof2))
            throw new InvalidFrameException($"JPEG process 0x{headers.Process:X2} is not supported here.");
        if (headers.Precision is not (8 or 12)) throw new InvalidFrameException($"JPEG with {headers.Precision} bits is none.");
        if (headers.Width != expected.Columns || headers.Height != expected.Rows || headers.ComponentCount != expected.SamplesPerPixel)
            throw new InvalidFrameException($"The stream holds {headers.Width} x {headers.Height} x {headers.ComponentCount}, {expected.Columns} x {expected.Rows} x {expected.SamplesPerPixel} expected.");
        Upsampler.Check(headers.Components.AsSpan(0, headers.ComponentCount), headers.MaxH, headers.MaxV, headers.Position);
        if (headers.Precision > expected.BitsAllocated) throw new InvalidFrameException($"Samples of {headers.Precision} bits do not fit {expected.BitsAllocated}.");
    }

    private static void TransformAll(JpegHeaders headers, in JpegComponent component, ReadOnlySpan<short> coefficients, Span<ushort> samples, CancellationToken cancellationToken)
    {
        if (!headers.HasQuantization[component.Quantization]) throw new InvalidFrameException("A quantization table is missing.", headers.Position);
        var table = headers.Quantization[component.Quantization];
        var stride = 8 * component.BlockColumns;
        for (var row = 0; row < component.BlockRows; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var column = 0; column < component.BlockColumns; column++)
            {
                var block = coefficients.Slice(64 * (row * component.BlockColumns + column), 64);
                var target = samples[(8 * row * stride + 8 * column)..];
                if (!block[1..].ContainsAnyExcept((short)0)) InverseDct.TransformFlat(block[0], table[0], target, stride, headers.Precision);
                else InverseDct.Transform(block, table, target, stride, headers.Precision);
            }
        }
    }
}
