using System.Buffers;
using System.Collections.Immutable;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using ImageApi.Retrieve;
using Platform.Codecs;
using Platform.Codecs.Htj2k;
using Platform.Imaging;
using Platform.TieredCache;
using FrameDescription = Platform.Codecs.FrameDescription;

namespace ImageApi.Frames;

/// <summary>
/// Frames as values of the tiered cache: (content, frame, how) in, the frame's bytes out. What is made of a frame is made of its stored value, verified before
/// anyone sees it, and kept on disk, so that a restart makes nothing twice.
/// </summary>
internal sealed class FrameService(ITieredCache cache, ICatalog catalog, IOrigins origins, InstanceHeaders headers, FrameCodecs codecs, DigestMemory digests, ILogger<FrameService> logger)
{
    private static readonly EntryPolicy Local = EntryPolicy.For(EntryKind.Frame);

    // A frame that came over a network is worth a disk's and another node's memory: neither a restart nor a second node asks for it again.
    private static readonly EntryPolicy Remote = Local.WithDisk() with { Remote = true };

    // What took milliseconds of a processor is worth a disk's memory; another node has the same content only where the origin is shared.
    private static readonly EntryPolicy DerivedLocal = EntryPolicy.Derived.WithDisk();
    private static readonly EntryPolicy DerivedRemote = DerivedLocal with { Remote = true };

    // Follows the recipe of the stream that it is the beginning of.
    private static readonly RecipeId HeadRecipe = RecipeId.Of("frame-head", 1, System.Text.Encoding.ASCII.GetBytes(FrameForms.Encoding));

    private const string YbrFull422 = "YBR_FULL_422";

    /// <summary>The key of a frame as it goes out: raw little endian for native pixels, as stored for compressed ones.</summary>
    public static CacheKey KeyOf(InstanceEntry instance, int frameIndex) =>
        new(instance.Content, EntryKind.Frame, RecipeId.AsStored, frameIndex);

    /// <summary>The key of a form of a frame.</summary>
    public static CacheKey KeyOf(InstanceEntry instance, int frameIndex, FrameForm form) =>
        new(instance.Content, EntryKind.Frame, FrameForms.RecipeOf(instance, form), frameIndex);

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
        Check(instance, frameIndex);
        return cache.GetOrCreateAsync(KeyOf(instance, frameIndex), (Service: this, Instance: instance, FrameIndex: frameIndex), IsLocal(instance) ? Local : Remote,
            static (frame, to, token) => frame.Service.ReadAsync(frame.Instance, frame.FrameIndex, to, token), cancellationToken);
    }

    /// <summary>
    /// One frame in a form that <see cref="FrameForms"/> has for the instance. Derived forms are complete and verified; their header tells the pixel digest.
    /// The caller disposes the lease.
    /// </summary>
    /// <exception cref="OriginException">The origin failed, or the instance is not as the catalog says.</exception>
    /// <exception cref="InvalidFrameException">The stored frame cannot be decoded: broken, too large, or not as its data set says. As stored it can still be had.</exception>
    /// <exception cref="UnfaithfulFrameException">The form cannot be made of this frame.</exception>
    public ValueTask<CacheLease> GetAsync(InstanceEntry instance, int frameIndex, FrameForm form, CancellationToken cancellationToken)
    {
        if (FrameForms.IsAsStored(instance, form)) return GetAsync(instance, frameIndex, cancellationToken);
        Check(instance, frameIndex);
        return cache.GetOrCreateAsync(KeyOf(instance, frameIndex, form), (Service: this, Instance: instance, FrameIndex: frameIndex, Form: form), IsLocal(instance) ? DerivedLocal : DerivedRemote,
            static (frame, to, token) => frame.Service.TranscodeAsync(frame.Instance, frame.FrameIndex, frame.Form, to, token), cancellationToken);
    }

    /// <summary>A frame's pixels; needs <see cref="FrameForms.CanDecode"/>. The caller disposes them.</summary>
    /// <param name="instance">As the catalog has it.</param>
    /// <param name="frameIndex">0-based, below the instance's frame count.</param>
    /// <param name="expected">What the data set says of the frame.</param>
    /// <param name="decode">Bounds, and resolutions to leave out (<see cref="FrameForms.CanReduce"/>).</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidFrameException">The frame is broken, too large, or not as its data set says.</exception>
    public async Task<DecodedPixels> DecodeAsync(InstanceEntry instance, int frameIndex, FrameDescription expected, DecodeOptions decode, CancellationToken cancellationToken)
    {
        await using var stored = await ReadStoredAsync(instance, frameIndex, decode.MaxFrameBytes, cancellationToken);
        return await codecs.DecodeAsync(stored, FrameForms.StoredSyntaxOf(instance), expected, decode, cancellationToken);
    }

    /// <summary>What is known of a frame once it was decoded; decodes it, and makes its progressive form, where that was not done before. Null where it cannot be decoded here; <see cref="FrameFacts.Unknown"/> where it is broken, too large, or not as its data set says.</summary>
    /// <exception cref="OriginException">The origin failed, or the instance is not as the catalog says.</exception>
    public async ValueTask<FrameFacts?> GetFactsAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        if (!FrameForms.CanDecode(instance)) return null;
        await using var head = await GetHeadAsync(instance, frameIndex, cancellationToken);
        return Note(instance, frameIndex, head);
    }

    /// <summary>What is known of a frame already; nothing is made, no network asked.</summary>
    public async ValueTask<FrameFacts?> TryGetFactsAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        if (!FrameForms.CanDecode(instance) || await cache.TryGetAsync(HeadKeyOf(instance, frameIndex), cancellationToken) is not { } found) return null;
        await using var head = found;
        return Note(instance, frameIndex, head);
    }

    /// <summary>The pixel digest where it is known in memory: for answers that wait for nothing.</summary>
    public bool TryGetDigest(InstanceEntry instance, int frameIndex, out Digest256 pixelDigest) => digests.TryGet(instance.Content, frameIndex, out pixelDigest);

    /// <summary>The frame's <see cref="FrameHead"/>. The caller disposes the lease.</summary>
    public ValueTask<CacheLease> GetHeadAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        Check(instance, frameIndex);
        return cache.GetOrCreateAsync(HeadKeyOf(instance, frameIndex), (Service: this, Instance: instance, FrameIndex: frameIndex), IsLocal(instance) ? DerivedLocal : DerivedRemote,
            static (frame, to, token) => frame.Service.MakeHeadAsync(frame.Instance, frame.FrameIndex, to, token), cancellationToken);
    }

    public bool IsLocal(InstanceEntry instance) => !origins.TryGet<IOrigin>(instance.OriginName, out var origin) || origin.Traits.HasFlag(OriginTraits.Local);

    private static CacheKey HeadKeyOf(InstanceEntry instance, int frameIndex) => new(instance.Content, EntryKind.Frame, HeadRecipe, frameIndex);

    private static void Check(InstanceEntry instance, int frameIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frameIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frameIndex, instance.FrameCount);
    }

    private FrameFacts Note(InstanceEntry instance, int frameIndex, in CacheLease head)
    {
        if (!head.TryGetBytes(out var bytes)) throw new InvalidDataException("The head of a frame is not in memory.");
        var facts = FrameHead.Read(bytes, out _);
        if (!facts.PixelDigest.IsNone) digests.Add(instance.Content, frameIndex, facts.PixelDigest);
        return facts;
    }

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

    /// <summary>
    /// The stored bytes that something is to be made of. Those of this machine are not kept for it: the folder is as fast, and a pass over a series would drive what
    /// is made of it out of memory.
    /// </summary>
    private async ValueTask<StoredFrame> ReadStoredAsync(InstanceEntry instance, int frameIndex, long maxFrameBytes, CancellationToken cancellationToken)
    {
        var maxBytes = FrameCodecs.MaxEncodedBytes(maxFrameBytes);
        if (!IsLocal(instance)) return await StoredFrame.OfAsync(await GetAsync(instance, frameIndex, cancellationToken), maxBytes, cancellationToken);
        if (await cache.TryGetAsync(KeyOf(instance, frameIndex), cancellationToken) is { } kept) return await StoredFrame.OfAsync(kept, maxBytes, cancellationToken);
        return await StoredFrame.ReadAsync((Service: this, Instance: instance, FrameIndex: frameIndex),
            static (frame, to, token) => frame.Service.ReadAsync(frame.Instance, frame.FrameIndex, to, token), maxBytes, cancellationToken);
    }

    private async Task TranscodeAsync(InstanceEntry instance, int frameIndex, FrameForm form, EntryWriter to, CancellationToken cancellationToken)
    {
        var expected = await DescribeAsync(instance, cancellationToken);
        await using var stored = await ReadStoredAsync(instance, frameIndex, codecs.MaxFrameBytes, cancellationToken);
        await codecs.TranscodeAsync(stored, instance, frameIndex, expected, form, to, cancellationToken);
    }

    private async Task MakeHeadAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        var facts = FrameFacts.Unknown;
        try
        {
            if (!FrameForms.HasPreview(instance))
            {
                facts = new FrameFacts(await DigestAsync(instance, frameIndex, cancellationToken), 0, []);
            }
            else
            {
                await using var stream = await GetAsync(instance, frameIndex, FrameForm.Htj2kRpcl, cancellationToken);
                using var copy = new LeasedBytes();
                var bytes = await copy.ReadAsync(stream, long.MaxValue, cancellationToken);
                var isStored = FrameForms.IsAsStored(instance, FrameForm.Htj2kRpcl);
                var digest = isStored ? await DigestAsync(instance, frameIndex, cancellationToken) : stream.Header.PixelDigest;
                // A stored stream whose resolutions do not come one after the other has no preview.
                ImmutableArray<long> ends = isStored ? [.. Htj2kStream.ReadResolutionEnds(bytes)] : FrameCodecs.EndsOf(stream.Header);
                facts = new FrameFacts(digest, ends.IsEmpty ? 0 : bytes.Length, ends);
                Write(bytes.Slice(0, FrameHead.PrefixOf(ends)));
                return;
            }
        }
        catch (Exception exception) when (exception is InvalidFrameException or UnfaithfulFrameException or EntryTooLargeException)
        {
            // That nothing can be known of it is known from now on; who asks for the form itself is told why.
            logger.NoPreview(exception.Message);
        }
        Write(default);

        void Write(ReadOnlySequence<byte> prefix)
        {
            to.Start(new EntryHeader("application/octet-stream") { Length = FrameHead.LengthOf(facts) + prefix.Length, PixelDigest = facts.PixelDigest, Tags = CacheTags.Of(instance) });
            FrameHead.Write(facts, to);
            foreach (var segment in prefix) to.Write(segment.Span);
        }
    }

    private async Task<Digest256> DigestAsync(InstanceEntry instance, int frameIndex, CancellationToken cancellationToken)
    {
        var expected = await DescribeAsync(instance, cancellationToken);
        await using var stored = await ReadStoredAsync(instance, frameIndex, codecs.MaxFrameBytes, cancellationToken);
        return await codecs.DigestAsync(stored, instance, expected, cancellationToken);
    }

    /// <summary>What the data set says of an instance's frames; all of them are alike (PS3.3 C.7.6.3).</summary>
    private async Task<FrameDescription> DescribeAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        await foreach (var metadata in headers.ReadAsync([instance], cancellationToken)) return FramePresentation.Read(metadata.File.Dataset, 0).Frame;
        throw new InvalidFrameException("The instance has no header.");
    }
}
