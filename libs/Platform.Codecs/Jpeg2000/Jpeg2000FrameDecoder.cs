using System.Buffers;

namespace Platform.Codecs.Jpeg2000;

/// <summary>
/// JPEG 2000 Part 1 (ISO/IEC 15444-1, ITU-T T.800), 1.2.840.10008.1.2.4.90 and .91: reversible and irreversible, every progression, tiles,
/// precincts, layers, every code-block style; bare codestreams and those in JP2 boxes. Colour transforms are undone: colour comes out as RGB.
/// Regions of interest and Part 2's multi-component transforms are refused.
/// </summary>
public sealed class Jpeg2000FrameDecoder : IFrameDecoder
{
    public FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken) =>
        CodestreamDecoder.OfThread.Decode(encoded, expected, pixels, options, cancellationToken);
}
