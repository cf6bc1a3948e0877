using System.Buffers;

namespace Platform.Codecs.Htj2k;

/// <summary>
/// Encodes frames losslessly as high-throughput JPEG 2000 (ISO/IEC 15444-15), 1.2.840.10008.1.2.4.202: one or three interleaved
/// components of 8 to 16 bits, RCT for RGB; reversible wavelet with five levels or as many as bring both sides to 64; blocks of 64 x 64;
/// RPCL, one tile, one tile-part per resolution with its packets' lengths (PLT), all tile-parts' lengths in the main header (TLM). So
/// each resolution is a prefix of the stream.
/// </summary>
public sealed class Htj2kFrameEncoder : IFrameEncoder
{
    private readonly CodestreamEncoder? _encoder;

    public Htj2kFrameEncoder()
    {
    }

    /// <summary>With an encoder of one's own, for tests of the scalar twin.</summary>
    internal Htj2kFrameEncoder(CodestreamEncoder encoder) => _encoder = encoder;

    public string Recipe => "htj2k-rpcl/1";

    public void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken)
    {
        frame.Validate();
        if (frame.BitsAllocated is not (8 or 16)) throw new ArgumentException($"{frame.BitsAllocated} bits allocated cannot be encoded as HTJ2K here.", nameof(frame));
        if (frame.IsPlanar) throw new ArgumentException("The frame is not interleaved.", nameof(frame));
        if (pixels.Length != frame.ByteLength) throw new ArgumentException($"{pixels.Length} bytes of pixels, {frame.ByteLength} expected.", nameof(pixels));
        (_encoder ?? CodestreamEncoder.OfThread).Encode(pixels, frame, stream, resolutionEnds, cancellationToken);
    }
}
