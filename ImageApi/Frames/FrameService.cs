using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using Platform.TieredCache;

namespace ImageApi.Frames;

/// <summary>Frames as values of the tiered cache: (content, frame, how) in, the frame's bytes out.</summary>
internal sealed class FrameService(ITieredCache cache, ICatalog catalog, IOrigins origins)
{
    private static readonly EntryPolicy Local = EntryPolicy.For(EntryKind.Frame);

    // A frame that came over a network is worth a disk's and another node's memory: neither a restart nor a second node asks for it again.
    private static readonly EntryPolicy Remote = Local.WithDisk() with { Remote = true };

    private const string YbrFull422 = "YBR_FULL_422";

    /// <summary>The key of a frame as it goes out: raw little endian for native pixels, as stored for compressed ones.</summary>
    public static CacheKey KeyOf(InstanceEntry instance, int frameIndex) =>
        new(instance.Content, EntryKind.Frame, RecipeId.AsStored, frameIndex);

    /// <summary>
    /// The bytes of a frame where they follow from the image's shape: native pixels of whole bytes. Null otherwise: the length is then
    /// known when the frame has been found.
    /// </summary>
    public static long? NativeLength(InstanceEntry instance)
    {
        if (instance.PixelLength < 0)
            return null;
        // PS3.3 C.7.6.3.1.2: two of three samples are kept of each pixel.
        var samples = instance.Photometric == YbrFull422 ? 2 : instance.SamplesPerPixel;
        var bits = (long)instance.Rows * instance.Columns * samples * instance.BitsAllocated;
        return bits > 0 && bits % 8 == 0 ? bits / 8 : null;
    }

    /// <summary>
    /// One frame, from the fastest tier that has it, else from the origin, which reads nothing but the frame. The lease can be read while the bytes
    /// arrive. The caller disposes it.
    /// </summary>
    /// <exception cref="OriginException">The origin failed, or the instance is not as the catalog says.</exception>
    public ValueTask<CacheLease> GetAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frameIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frameIndex, instance.FrameCount);
        return cache.GetOrCreateAsync(KeyOf(instance, frameIndex), (Service: this, Instance: instance, FrameIndex: frameIndex), PolicyOf(instance),
            static (frame, to, token) => frame.Service.ReadAsync(frame.Instance, frame.FrameIndex, to, token), cancellationToken);
    }

    private EntryPolicy PolicyOf(InstanceEntry instance) =>
        origins.TryGet<IOrigin>(instance.OriginName, out var origin) && !origin.Traits.HasFlag(OriginTraits.Local) ? Remote : Local;

    private async Task ReadAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        try
        {
            await origins.Of(instance).ReadFrameAsync(instance, frameIndex, to, cancellationToken);
        }
        catch (OriginException exception) when (Healing.IsStale(exception))
        {
            await catalog.HealAsync(instance, cancellationToken);
            throw;
        }
    }
}
