using System.Collections.Immutable;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>What is known of a frame once it has been decoded.</summary>
/// <param name="PixelDigest">Equal for every lossless encoding of the frame (<see cref="Frames.PixelDigest"/>).</param>
/// <param name="Length">Bytes of its <see cref="FrameForm.Htj2kRpcl"/> form; 0 where that is not made ahead of being asked for.</param>
/// <param name="ResolutionEnds">
/// How many of these bytes hold each resolution, smallest first: the last is <paramref name="Length"/>, the one before it holds half the width and
/// height, and so on. Empty where <paramref name="Length"/> is 0.
/// </param>
internal sealed record FrameFacts(Digest256 PixelDigest, long Length, ImmutableArray<long> ResolutionEnds)
{
    /// <summary>Of a frame that cannot be decoded.</summary>
    public static FrameFacts Unknown { get; } = new(default, 0, []);
}
