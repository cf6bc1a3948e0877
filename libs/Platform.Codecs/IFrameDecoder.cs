using System.Buffers;

namespace Platform.Codecs;

/// <summary>Decodes the frames of one format. Stateless and safe for concurrent use.</summary>
public interface IFrameDecoder
{
    /// <summary>
    /// Decodes one frame. The pixels written are interleaved, little endian, in containers of 8, 16 or 32 bits (1-bit samples stay
    /// packed), unused high bits cleared or, for signed samples, sign-extended.
    /// </summary>
    /// <param name="encoded">The frame's fragments, joined.</param>
    /// <param name="expected">What the data set says of the frame. A stream that contradicts its size or component count is refused.</param>
    /// <param name="pixels">Takes the pixels; nothing is written when the frame turns out broken.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="cancellationToken">Checked per row or block.</param>
    /// <returns>What was produced: the expectation with what only the stream knows (bits stored, colour space).</returns>
    /// <exception cref="InvalidFrameException">The frame is broken, contradicts <paramref name="expected"/> or exceeds a bound.</exception>
    FrameDescription Decode(ReadOnlySequence<byte> encoded, in FrameDescription expected, IBufferWriter<byte> pixels, in DecodeOptions options, CancellationToken cancellationToken);
}
