using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>Where an instance's frames lie in its file, and how their bytes are to be read: the same for a file of a folder and one behind a network.</summary>
internal static class InstanceFrames
{
    /// <summary>The most that a deflated data set may inflate to for its frames to be served.</summary>
    public const int MaxInflatedBytes = 128 << 20;

    private static readonly RecipeId IndexRecipe = RecipeId.Of("frame-index", 1);

    public static EntryPolicy IndexPolicy { get; } = EntryPolicy.For(EntryKind.FrameIndex);

    /// <summary>The key of an instance's <see cref="FrameIndex"/>.</summary>
    public static CacheKey IndexKeyOf(InstanceEntry instance) => new(instance.Content, EntryKind.FrameIndex, IndexRecipe, 0);

    public static FrameDescription Describe(InstanceEntry instance)
    {
        var syntax = DicomTransferSyntax.FromUid(instance.TransferSyntaxUid);
        return new FrameDescription(
            instance.Rows, instance.Columns, instance.SamplesPerPixel, instance.BitsAllocated, instance.BitsStored, instance.IsSigned, instance.IsPlanar, instance.Photometric,
            syntax.IsEncapsulated ? syntax.Uid : DicomTransferSyntax.ExplicitVrLittleEndian.Uid);
    }

    public static string MediaTypeOf(in FrameDescription description) =>
        description.TransferSyntaxUid == DicomTransferSyntax.ExplicitVrLittleEndian.Uid
            ? "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1"
            : $"application/octet-stream;transfer-syntax={description.TransferSyntaxUid}";

    /// <summary>The frame's bytes in the file where they follow from the image's shape and go out as they are stored; null otherwise.</summary>
    /// <exception cref="OriginException">Broken: they would lie outside of the pixel data.</exception>
    public static FrameSegment? TryLocate(InstanceEntry instance, int frameIndex)
    {
        var syntax = DicomTransferSyntax.FromUid(instance.TransferSyntaxUid);
        if (syntax.IsEncapsulated || syntax.IsDeflated || syntax.IsBigEndian || instance is not { PixelOffset: >= 0, PixelLength: >= 0 }) return null;
        var pixels = new PixelDescription
        {
            Rows = instance.Rows,
            Columns = instance.Columns,
            SamplesPerPixel = instance.SamplesPerPixel,
            BitsAllocated = instance.BitsAllocated,
            BitsStored = instance.BitsStored,
            Photometric = instance.Photometric,
            FrameCount = instance.FrameCount,
        };
        if (pixels.FrameBits % 8 != 0) return null;
        var length = pixels.FrameBytes;
        if (length <= 0 || length > (instance.PixelLength / (frameIndex + 1)) || instance.PixelOffset + instance.PixelLength > instance.Stamp.Length)
            throw new OriginException(OriginFailure.Broken, "The frame lies outside of its pixel data.");
        return new FrameSegment(instance.PixelOffset + (length * frameIndex), length);
    }

    /// <summary>The index of an instance's frames, from the cache or made by <paramref name="make"/>.</summary>
    public static async ValueTask<FrameIndex> GetIndexAsync<TState>(ITieredCache cache, InstanceEntry instance, TState state, Func<TState, CancellationToken, Task<FrameIndex?>> make, CancellationToken cancellationToken)
    {
        await using var lease = await cache.GetOrCreateAsync(IndexKeyOf(instance), (instance, state, make), IndexPolicy, static async (work, to, token) =>
        {
            var index = await work.make(work.state, token) ?? throw new OriginException(OriginFailure.Broken, "The instance has no pixels.");
            var bytes = index.ToBytes();
            to.Start(new EntryHeader("application/octet-stream") { Length = bytes.Length, Tags = CacheTags.Of(work.instance) });
            System.Buffers.BuffersExtensions.Write(to, bytes);
        }, cancellationToken);
        if (!lease.TryGetBytes(out var bytes)) throw new OriginException(OriginFailure.Broken, "The index of the frames is too large.");
        return bytes.IsSingleSegment ? FrameIndex.FromBytes(bytes.FirstSpan) : FrameIndex.FromBytes(System.Buffers.BuffersExtensions.ToArray(bytes));
    }
}
