using System.Buffers;

namespace Platform.Codecs;

/// <summary>Encodes frames losslessly into one format. Stateless and safe for concurrent use.</summary>
public interface IFrameEncoder
{
    /// <summary>The name and output version of what is made, such as <c>rle/1</c>: another version whenever the bytes for the same pixels change.</summary>
    string Recipe { get; }

    /// <summary>Encodes one frame.</summary>
    /// <param name="pixels">The frame's pixels as <see cref="IFrameDecoder.Decode"/> gives them; <see cref="FrameDescription.ByteLength"/> bytes.</param>
    /// <param name="frame">What they are.</param>
    /// <param name="stream">Takes the encoded bytes.</param>
    /// <param name="resolutionEnds">For progressive formats: takes the length of the prefix that holds each resolution, smallest first.</param>
    /// <param name="cancellationToken">Checked per row or block.</param>
    /// <exception cref="ArgumentException">The format cannot hold such a frame, or the pixels have another length.</exception>
    void Encode(ReadOnlySpan<byte> pixels, in FrameDescription frame, IBufferWriter<byte> stream, IList<long>? resolutionEnds, CancellationToken cancellationToken);
}
