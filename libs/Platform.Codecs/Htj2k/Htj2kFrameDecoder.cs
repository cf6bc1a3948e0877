using System.Buffers;
using Platform.Codecs.Jpeg2000;

namespace Platform.Codecs.Htj2k;

/// <summary>
/// High-throughput JPEG 2000 (ISO/IEC 15444-15, ITU-T T.814), 1.2.840.10008.1.2.4.201 to .203: reversible and irreversible, every
/// progression, tiles, precincts, layers; one or three components of up to 24 bits. Colour transforms are undone: colour comes out as
/// RGB. Decodes at lower resolutions, from the beginning of a stream too where resolutions come one after the other.
/// </summary>
public sealed class Htj2kFrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken) =>
        CodestreamDecoder.OfThread.Decode(encoded, expected, pixels, options, cancellationToken);
}
