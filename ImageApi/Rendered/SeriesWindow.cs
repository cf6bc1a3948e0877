using System.Buffers;
using System.Buffers.Binary;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using Platform.Codecs;
using Platform.Imaging;
using Platform.TieredCache;
using FrameDescription = Platform.Codecs.FrameDescription;

namespace ImageApi.Rendered;

/// <summary>
/// The window of a series that stores none, so that all its slices look alike: between percentiles of its middle slice, found once and kept in the
/// tiers with the series. A series that still arrives keeps the window it got first; forgotten by every tier it is found anew.
/// </summary>
internal sealed class SeriesWindow(ITieredCache cache, ICatalog catalog, FramePixels pixels)
{
    private const string MediaType = "application/octet-stream";

    private static readonly RecipeId Recipe = RecipeId.Of("series-window", 1);
    private static readonly EntryPolicy Policy = EntryPolicy.For(EntryKind.Metadata);

    /// <summary>The series' window; null where its middle slice is of another kind than the frame that is shown, or has a window stored.</summary>
    /// <param name="instance">Whose series.</param>
    /// <param name="frameIndex">Which frame of it is shown.</param>
    /// <param name="shown">That frame, which has no window.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<VoiWindow?> FindAsync(InstanceEntry instance, int frameIndex, DecodedFrame shown, CancellationToken cancellationToken)
    {
        if (await catalog.FindSeriesAsync(new SeriesRef(instance.StudyUid, instance.SeriesUid), cancellationToken) is not { } series) return null;
        if (RenderedApi.RepresentativeOf(series) is not { } middle || !FramePixels.CanDecode(middle.Instance)) return null;
        var key = new CacheKey(ContentOf(instance), EntryKind.Metadata, Recipe, 0);
        try
        {
            await using var lease = await cache.TryGetAsync(key, cancellationToken) ?? await MakeAsync(key, middle, (instance, frameIndex) == middle ? shown : null, cancellationToken);
            await lease.WaitUntilCompleteAsync(cancellationToken);
            return lease.TryGetBytes(out var bytes) ? Read(bytes, shown.Frame) : null;
        }
        catch (InvalidFrameException)
        {
            return null;   // a broken middle slice is no reason not to show the others
        }
    }

    // Where the middle slice is the one in hand it is measured before it is waited for: what makes the value must not hold pixels that a caller gives back.
    private ValueTask<CacheLease> MakeAsync(CacheKey key, (InstanceEntry Instance, int FrameIndex) middle, DecodedFrame? inHand, CancellationToken cancellationToken)
    {
        (FrameDescription Frame, VoiWindow? Window)? known = inHand is { IsReduced: false } ? (inHand.Frame, Measure(inHand)) : null;
        return cache.GetOrCreateAsync(key, (Pixels: pixels, Middle: middle, Known: known), Policy, static async (state, to, token) =>
        {
            if (state.Known is not { } found)
            {
                using var decoded = await state.Pixels.GetAsync(state.Middle.Instance, state.Middle.FrameIndex, smallestSide: null, token);
                found = (decoded.Frame, Measure(decoded));
            }
            to.Start(new EntryHeader(MediaType) { Tags = CacheTags.Of(state.Middle.Instance) });
            Write(to, found.Frame, found.Window);
        }, cancellationToken);
    }

    private static VoiWindow? Measure(DecodedFrame decoded) =>
        decoded.Presentation.HasWindow || decoded.Frame.SamplesPerPixel != 1 || decoded.Presentation.Palette is not null ? null : FrameRenderer.FindWindow(decoded.Pixels, decoded.Frame, decoded.Presentation);

    // Of the UIDs, not of the instances: one that arrives later must not change how the others look.
    private static Digest256 ContentOf(InstanceEntry instance)
    {
        var builder = new DigestBuilder(stackalloc byte[256], "series-window1"u8);
        builder.Add(instance.OriginName);
        builder.Add(instance.StudyUid);
        builder.Add(instance.SeriesUid);
        return builder.Finish();
    }

    // Center and width, before them what kind of frames they are for; a width of 0 stands for none.
    private static void Write(EntryWriter to, in FrameDescription frame, VoiWindow? window)
    {
        Span<byte> bytes = stackalloc byte[20];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, KindOf(frame));
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[4..], window?.Center ?? 0);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[12..], window?.Width ?? 0);
        to.Write(bytes);
    }

    private static VoiWindow? Read(in ReadOnlySequence<byte> value, in FrameDescription shown)
    {
        Span<byte> bytes = stackalloc byte[20];
        if (value.Length != bytes.Length) return null;
        value.CopyTo(bytes);
        var width = BinaryPrimitives.ReadDoubleLittleEndian(bytes[12..]);
        return width > 0 && BinaryPrimitives.ReadInt32LittleEndian(bytes) == KindOf(shown) ? new VoiWindow(BinaryPrimitives.ReadDoubleLittleEndian(bytes[4..]), width) : null;
    }

    private static int KindOf(in FrameDescription frame) => frame.BitsStored << 8 | frame.SamplesPerPixel << 1 | (frame.IsSigned ? 1 : 0);
}
