using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins.Outbound;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Origins.Ranged;

/// <summary>
/// DICOM files behind a network that gives out ranges of them: headers are read from their first bytes, frames by their own. Every range is asked for under
/// the version that the first one had, so bytes of two versions are never put together. What a network it is, the kinds say.
/// </summary>
internal abstract class RangedOrigin(string name, ITieredCache cache) : IIndexedOrigin
{
    private readonly SemaphoreSlim _whole = new(1);

    public string Name => name;
    public OriginTraits Traits => OriginTraits.None;
    public abstract int? IndexReaders { get; }

    /// <summary>Asks for bytes of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="ifMatch">When given, another version is <see cref="OriginFailure.Changed"/>.</param>
    /// <param name="offset">The first byte. At or beyond the end of the item is an <see cref="ArgumentOutOfRangeException"/>, unless it is 0.</param>
    /// <param name="count">How many, positive; null for all that follow. Fewer come where the item ends before.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OriginException">Absent, Changed, or the origin failed.</exception>
    public abstract Task<RangeAnswer> AskAsync(OriginItem item, OriginVersion? ifMatch, long offset, long? count, CancellationToken cancellationToken);

    public abstract ValueTask<FileStamp?> GetStampAsync(OriginItem item, CancellationToken cancellationToken);
    public abstract ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken);

    public async Task<OriginRead> OpenAsync(OriginItem item, OriginVersion? ifMatch, ByteRange? range, CancellationToken cancellationToken) =>
        new RangedRead(this, item, await AskAsync(item, ifMatch, range?.Offset ?? 0, range?.Count, cancellationToken));

    public Task<OriginRead> OpenAsync(InstanceEntry instance, ByteRange? range, CancellationToken cancellationToken) =>
        OpenAsync(instance.Item, instance.Version, range, cancellationToken);

    public async ValueTask<ItemHeader> ReadHeaderAsync(OriginItem item, CancellationToken cancellationToken)
    {
        await using var stream = await RangeStream.OpenAsync(this, item, ifMatch: null, RangeStream.FirstBytes, cancellationToken);
        try
        {
            return new ItemHeader(await DicomFile.ReadAsync(stream, DicomReadOptions.Default, cancellationToken), stream.Stamp, stream.Version);
        }
        catch (DicomParseException)
        {
            return new ItemHeader(File: null, stream.Stamp, stream.Version);
        }
    }

    public IAsyncEnumerable<InstanceMetadata> GetMetadataAsync(IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken) =>
        HeadersAhead.ReadAsync(instances, IndexReaders ?? 2, ReadHeaderAsync, cancellationToken);

    public async Task<FrameDescription> ReadFrameAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frameIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frameIndex, instance.FrameCount);
        var description = InstanceFrames.Describe(instance);
        if (InstanceFrames.TryLocate(instance, frameIndex) is { } frame)
        {
            await CopyAsync(instance, [frame], InstanceFrames.MediaTypeOf(description), frame.Length, to, cancellationToken);
            return description;
        }

        try
        {
            var index = await InstanceFrames.GetIndexAsync(cache, instance, (Origin: this, Instance: instance), static (state, token) => state.Origin.MakeIndexAsync(state.Instance, token), cancellationToken);
            if (frameIndex >= index.FrameCount) throw new OriginException(OriginFailure.Broken, "The instance holds fewer frames than its header says.");
            var length = index.GetLength(frameIndex);
            if (index.IsEncapsulated && !index.IsDeflated) await CopyAsync(instance, index.GetSegments(frameIndex), InstanceFrames.MediaTypeOf(description), length, to, cancellationToken);
            else await ReadAlteredFrameAsync(instance, index, frameIndex, new EntryHeader(InstanceFrames.MediaTypeOf(description)) { Length = length, Tags = CacheTags.Of(instance) }, to, cancellationToken);
        }
        catch (DicomParseException exception)
        {
            throw new OriginException(OriginFailure.Broken, "The frame cannot be read from its file.", exception);
        }
        return description;
    }

    public async Task<bool> ReadBulkDataAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = await OpenStreamAsync(instance, cancellationToken);
        using var dicom = await DicomFile.ReadAsync(stream, DicomReadOptions.Default with { DeferBulkOverBytes = 64 << 10 }, cancellationToken);
        if (BulkDataPath.Find(dicom, path) is not { } value) return false;

        const string mediaType = "application/octet-stream";
        if (value.Element is { IsDeferred: false } element)
        {
            to.Start(new EntryHeader(mediaType) { Length = value.Length, Tags = CacheTags.Of(instance) });
            element.WriteLittleEndian(to);
        }
        else if (dicom.TransferSyntax is { IsDeflated: false } && value.UnitBytes == 1)
        {
            await CopyAsync(instance, [new FrameSegment(value.Offset, value.Length)], mediaType, value.Length, to, cancellationToken);
        }
        else
        {
            // Rare: an inflated or big endian value too large to have been read with the header.
            to.Start(new EntryHeader(mediaType) { Length = value.Length, Tags = CacheTags.Of(instance) });
            await WithWholeAsync(stream, whole =>
            {
                BulkDataPath.FindElement(whole, path)?.WriteLittleEndian(to);
                return ValueTask.CompletedTask;
            }, cancellationToken);
        }
        return true;
    }

    private async Task<DicomFile> ReadHeaderAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await OpenStreamAsync(instance, cancellationToken);
            return await DicomFile.ReadAsync(stream, DicomReadOptions.Default, cancellationToken);
        }
        catch (DicomParseException exception)
        {
            throw new OriginException(OriginFailure.Broken, "The header cannot be read.", exception);
        }
    }

    private async Task<FrameIndex?> MakeIndexAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        await using var stream = await OpenStreamAsync(instance, cancellationToken);
        using var dicom = await DicomFile.ReadAsync(stream, DicomReadOptions.Default, cancellationToken);
        using var source = DicomSource.FromStream(stream);
        return await FrameIndex.ReadAsync(source, dicom, cancellationToken);
    }

    /// <summary>Frames whose bytes are not in the file as they go out: deflated, big endian, or of bits that are not whole bytes.</summary>
    private async Task ReadAlteredFrameAsync(InstanceEntry instance, FrameIndex index, int frameIndex, EntryHeader header, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = await OpenStreamAsync(instance, cancellationToken);
        to.Start(header);
        if (!index.IsDeflated)
        {
            using var source = DicomSource.FromStream(stream);
            await index.ReadFrameAsync(source, frameIndex, to, cancellationToken);
            return;
        }
        await WithWholeAsync(stream, async whole =>
        {
            using var source = DicomSource.FromFile(whole);
            await index.ReadFrameAsync(source, frameIndex, to, cancellationToken);
        }, cancellationToken);
    }

    // One at a time: it may be large, and a deflated stream may lie about it.
    private async Task WithWholeAsync(RangeStream stream, Func<DicomFile, ValueTask> use, CancellationToken cancellationToken)
    {
        await _whole.WaitAsync(cancellationToken);
        try
        {
            stream.Position = 0;
            var options = DicomReadOptions.Default with { StopBeforePixels = false, MaxInflatedBytes = InstanceFrames.MaxInflatedBytes, MaxBufferBytes = InstanceFrames.MaxInflatedBytes };
            using var whole = await DicomFile.ReadAsync(stream, options, cancellationToken);
            await use(whole);
        }
        finally
        {
            _whole.Release();
        }
    }

    private async Task CopyAsync(InstanceEntry instance, IReadOnlyList<FrameSegment> segments, string mediaType, long length, EntryWriter to, CancellationToken cancellationToken)
    {
        var isStarted = false;
        foreach (var segment in segments)
        {
            if (segment.Length == 0) continue;
            await using var read = await OpenAsync(instance, new ByteRange(segment.Offset, segment.Length), cancellationToken);
            if (read.TotalLength != instance.Stamp.Length) throw new OriginException(OriginFailure.Changed, "The item has another length than the catalog says.");
            if (read.Length != segment.Length) throw new OriginException(OriginFailure.Broken, "The frame lies outside of its file.");
            if (!isStarted) to.Start(new EntryHeader(mediaType) { Length = length, Tags = CacheTags.Of(instance) });
            isStarted = true;
            await read.CopyToAsync(to, cancellationToken);
        }
        if (!isStarted) to.Start(new EntryHeader(mediaType) { Length = length, Tags = CacheTags.Of(instance) });
    }

    /// <summary>As much as the header takes, where the catalog knows it: one request then.</summary>
    private Task<RangeStream> OpenStreamAsync(InstanceEntry instance, CancellationToken cancellationToken) =>
        RangeStream.OpenAsync(this, instance.Item, instance.Version, (int)Math.Clamp(instance.PixelOffset + 64, RangeStream.LeastBytes, RangeStream.MostBytes), cancellationToken);
}

/// <summary>The beginning of an answer to <see cref="RangedOrigin.AskAsync"/>. One owner, who disposes it, read or not.</summary>
/// <param name="Version">The version that the bytes belong to.</param>
/// <param name="Stamp">The item's stamp; its length is the whole item's.</param>
/// <param name="Offset">Where the bytes begin.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Body">The bytes; read asynchronously.</param>
/// <param name="Owner">Ends the answer.</param>
internal sealed record RangeAnswer(OriginVersion Version, FileStamp Stamp, long Offset, long Length, Stream Body, IDisposable Owner) : IDisposable
{
    public void Dispose() => Owner.Dispose();

    /// <summary>Reads at least one byte, or 0 at the end of the body, which may be too early.</summary>
    /// <exception cref="OriginException">The body broke off or fell silent.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await Body.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw OriginFailures.From(exception);
        }
    }
}
