using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.Retrieve;
using Microsoft.Extensions.Options;
using Platform.Codecs;
using Platform.Dicom;
using Platform.Imaging;

namespace ImageApi.Rendered;

/// <summary>A decoded frame and how its data set wants it shown; its memory belongs to the pool, so it is disposed once.</summary>
internal sealed class DecodedFrame(DecodedPixels pixels, FramePresentation presentation, bool isReduced) : IDisposable
{
    public FrameDescription Frame => pixels.Frame;

    public FramePresentation Presentation => presentation;

    /// <summary>Whether it was decoded at less than its full resolution.</summary>
    public bool IsReduced => isReduced;

    public ReadOnlySpan<byte> Pixels => pixels.Span;

    public void Dispose() => pixels.Dispose();
}

/// <summary>Frames as pixels with how they are to be shown.</summary>
internal sealed class FramePixels(FrameService frames, InstanceHeaders headers, IOptions<RenderedOptions> options)
{
    private const int MaxLevels = 5;

    /// <summary>Whether frames of this instance can be decoded here; others only go out as stored.</summary>
    public static bool CanDecode(InstanceEntry instance) => FrameForms.CanDecode(instance);

    /// <summary>One frame. The caller disposes it.</summary>
    /// <param name="instance">As the catalog has it.</param>
    /// <param name="frameIndex">0-based, below the instance's frame count.</param>
    /// <param name="smallestSide">The pixels that are enough for the shorter side, where the format can be decoded at less than its full resolution; null for all.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The frame is broken or too large.</exception>
    public Task<DecodedFrame> GetAsync(InstanceEntry instance, int frameIndex, int? smallestSide, CancellationToken cancellationToken) =>
        GetAsync(instance, frameIndex, smallestSide, static _ => { }, cancellationToken);

    /// <summary>As above; <paramref name="read"/> sees the data set, which is gone afterwards.</summary>
    public async Task<DecodedFrame> GetAsync(InstanceEntry instance, int frameIndex, int? smallestSide, Action<DicomDataset> read, CancellationToken cancellationToken)
    {
        FramePresentation? presentation = null;
        await foreach (var metadata in headers.ReadAsync([instance], cancellationToken))
        {
            presentation = FramePresentation.Read(metadata.File.Dataset, frameIndex);
            read(metadata.File.Dataset);
        }
        if (presentation is null) throw new InvalidFrameException("The instance has no header.");

        var levels = smallestSide is { } side && FrameForms.CanReduce(instance) && presentation.Palette is null ? LevelsToLeaveOut(presentation.Frame, side) : 0;
        if (levels > 0 && await TryDecodeAsync(instance, frameIndex, presentation, levels, cancellationToken) is { } reduced) return reduced;
        return await DecodeAsync(instance, frameIndex, presentation, 0, cancellationToken);
    }

    /// <summary>The same for a frame whose header was read before: a slide has thousands, and one header.</summary>
    public Task<DecodedFrame> GetAsync(InstanceEntry instance, int frameIndex, FramePresentation presentation, CancellationToken cancellationToken) =>
        DecodeAsync(instance, frameIndex, presentation, 0, cancellationToken);

    private async Task<DecodedFrame> DecodeAsync(InstanceEntry instance, int frameIndex, FramePresentation presentation, int levels, CancellationToken cancellationToken)
    {
        var bounds = new DecodeOptions { MaxFrameBytes = options.Value.MaxFrameBytes, ReduceLevels = levels };
        return new DecodedFrame(await frames.DecodeAsync(instance, frameIndex, presentation.Frame, bounds, cancellationToken), presentation, isReduced: levels > 0);
    }

    // A stream may have fewer levels than its size would allow.
    private async Task<DecodedFrame?> TryDecodeAsync(InstanceEntry instance, int frameIndex, FramePresentation presentation, int levels, CancellationToken cancellationToken)
    {
        try
        {
            return await DecodeAsync(instance, frameIndex, presentation, levels, cancellationToken);
        }
        catch (InvalidFrameException)
        {
            return null;
        }
    }

    private static int LevelsToLeaveOut(in FrameDescription frame, int side)
    {
        var levels = 0;
        while (levels < MaxLevels && Math.Min(frame.Rows, frame.Columns) >> (levels + 1) >= side) levels++;
        return levels;
    }
}
