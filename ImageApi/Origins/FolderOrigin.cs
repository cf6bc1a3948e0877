using ImageApi.Catalog;
using ImageApi.HttpCaching;
using Microsoft.Win32.SafeHandles;
using Platform.Dicom;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// A folder of DICOM files. Every read opens the file, holds it to the version that was asked for, and looks again afterwards, so that bytes of two versions are
/// never put together. Reads are positional and synchronous: .NET would hand them to a pool's thread otherwise, and this is one.
/// </summary>
internal class FolderOrigin : IIndexedOrigin
{
    private readonly Func<OriginItem, OriginVersion?>? _versionOf;
    private readonly ITieredCache _cache;
    private readonly OriginMetrics _metrics;
    private readonly SemaphoreSlim _inflating = new(1);
    private string? _root;

    /// <param name="name">As configured.</param>
    /// <param name="path">The folder, absolute. It may be absent for now.</param>
    /// <param name="traits">Writable for the store.</param>
    /// <param name="versionOf">Gives the version of items whose name tells it (the store's); null for all others.</param>
    /// <param name="cache">Keeps where the frames of encapsulated instances lie.</param>
    /// <param name="metrics">Counts reads and bytes.</param>
    public FolderOrigin(string name, string path, OriginTraits traits, Func<OriginItem, OriginVersion?>? versionOf, ITieredCache cache, OriginMetrics metrics)
    {
        Name = name;
        Path = path;
        Traits = traits | OriginTraits.Local;
        _versionOf = versionOf;
        _cache = cache;
        _metrics = metrics;
    }

    public string Name { get; }
    public string Path { get; }
    public OriginTraits Traits { get; }
    public int? IndexReaders => null;

    /// <summary>The folder with its links resolved.</summary>
    /// <exception cref="OriginException">Unreachable: it is not there.</exception>
    public string Root
    {
        get
        {
            if (_root is { } root) return root;
            try
            {
                return _root = FileSystem.RealFolder(Path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new OriginException(OriginFailure.Unreachable, $"The folder of origin {Name} cannot be opened.", exception);
            }
        }
    }

    public OriginVersion VersionOf(OriginItem item, in FileStamp stamp) => _versionOf?.Invoke(item) ?? OriginVersion.FromFile(stamp);

    public ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var file = OpenFile(item, out var stamp);
            return new ValueTask<OriginVersion?>(VersionOf(item, stamp));
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Absent or OriginFailure.Refused)
        {
            return default;
        }
    }

    public Task<OriginRead> OpenAsync(OriginItem item, OriginVersion? ifMatch, ByteRange? range, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var file = OpenFile(item, out var stamp);
        return Task.FromResult(MakeRead(file, item, stamp, matches: ifMatch is not { } asked || VersionOf(item, stamp) == asked, range));
    }

    public Task<OriginRead> OpenAsync(InstanceEntry instance, ByteRange? range, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var file = OpenFile(instance.Item, out var stamp);
        return Task.FromResult(MakeRead(file, instance.Item, stamp, matches: stamp == instance.Stamp, range));
    }

    public IAsyncEnumerable<InstanceMetadata> GetMetadataAsync(IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken) =>
        HeadersAhead.ReadAsync(instances, Math.Max(2, Environment.ProcessorCount), (instance, token) => Task.FromResult(ReadHeader(instance, token)), cancellationToken);

    public async Task<FrameDescription> ReadFrameAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frameIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frameIndex, instance.FrameCount);
        cancellationToken.ThrowIfCancellationRequested();
        var description = InstanceFrames.Describe(instance);
        using var file = OpenFile(instance);

        if (InstanceFrames.TryLocate(instance, frameIndex) is { } frame)
        {
            to.Start(new EntryHeader(InstanceFrames.MediaTypeOf(description)) { Length = frame.Length, Tags = CacheTags.Of(instance) });
            await CopyAsync(file, frame.Offset, frame.Length, to, cancellationToken);
        }
        else
        {
            await ReadIndexedFrameAsync(instance, file, frameIndex, description, to, cancellationToken);
        }

        CheckUnchanged(file, instance);
        _metrics.FrameRead(Name, to.WrittenBytes);
        return description;
    }

    public async Task<bool> ReadBulkDataAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken)
    {
        using var file = OpenFile(instance);
        using var dicom = Parse(file, instance.Item, DicomReadOptions.Default with { DeferBulkOverBytes = 64 << 10 }, cancellationToken);
        var found = BulkDataPath.Find(dicom, path);
        if (found is not { } value) return false;

        to.Start(new EntryHeader("application/octet-stream") { Length = value.Length, Tags = CacheTags.Of(instance) });
        if (value.Element is { IsDeferred: false } element)
        {
            element.WriteLittleEndian(to);
        }
        else if (dicom.TransferSyntax is { IsDeflated: false } && value.UnitBytes == 1)
        {
            await CopyAsync(file, value.Offset, value.Length, to, cancellationToken);
        }
        else
        {
            // Rare: an inflated or big endian value too large to have been read with the header.
            using var whole = Parse(file, instance.Item, DicomReadOptions.Default with { StopBeforePixels = false }, cancellationToken);
            BulkDataPath.FindElement(whole, path)?.WriteLittleEndian(to);
        }
        CheckUnchanged(file, instance);
        return true;
    }

    public ValueTask<FileStamp?> GetStampAsync(OriginItem item, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var file = OpenFile(item, out var stamp);
            return new ValueTask<FileStamp?>(stamp);
        }
        catch (OriginException exception) when (exception.Failure is OriginFailure.Absent or OriginFailure.Refused)
        {
            return default;   // refused: not ours to serve, whatever lies there
        }
    }

    public ValueTask<ItemHeader> ReadHeaderAsync(OriginItem item, CancellationToken cancellationToken)
    {
        using var file = OpenFile(item, out var stamp);
        var version = VersionOf(item, stamp);
        try
        {
            return new ValueTask<ItemHeader>(new ItemHeader(Parse(file, item, DicomReadOptions.Default, cancellationToken), stamp, version));
        }
        catch (DicomParseException)
        {
            return new ValueTask<ItemHeader>(new ItemHeader(File: null, stamp, version));
        }
    }

    /// <summary>Opens a file for reading, wherever its path leads inside of the folder.</summary>
    public SafeFileHandle OpenFile(OriginItem item, out FileStamp stamp)
    {
        var file = FileSystem.OpenBelow(Root, PathOf(item));
        stamp = FileSystem.GetStamp(file);
        return file;
    }

    /// <summary>The absolute path of an item.</summary>
    /// <exception cref="OriginException">Absent: it is no path of this kind.</exception>
    public string PathOf(OriginItem item)
    {
        if (item.Path.Length == 0 || item.Path[0] == '/' || item.Path.Contains('\0', StringComparison.Ordinal)) throw new OriginException(OriginFailure.Absent, "The item is no path below the folder.");
        foreach (var part in item.Path.AsSpan().Split('/'))
        {
            if (item.Path.AsSpan(part) is "" or "." or "..") throw new OriginException(OriginFailure.Absent, "The item is no path below the folder.");
        }
        return System.IO.Path.Combine(Root, item.Path);
    }

    private async Task ReadIndexedFrameAsync(InstanceEntry instance, SafeFileHandle file, int frameIndex, FrameDescription description, EntryWriter to, CancellationToken cancellationToken)
    {
        try
        {
            var index = await GetFrameIndexAsync(instance, file, cancellationToken);
            if (frameIndex >= index.FrameCount) throw new OriginException(OriginFailure.Broken, "The instance holds fewer frames than its header says.");
            to.Start(new EntryHeader(InstanceFrames.MediaTypeOf(description)) { Length = index.GetLength(frameIndex), Tags = CacheTags.Of(instance) });
            if (!index.IsDeflated && !index.IsBigEndian && index.GetBitOffset(frameIndex) == 0 && index.IsEncapsulated)
            {
                foreach (var segment in index.GetSegments(frameIndex)) await CopyAsync(file, segment.Offset, segment.Length, to, cancellationToken);
                return;
            }
            if (index.IsDeflated)
            {
                await ReadDeflatedFrameAsync(instance, file, index, frameIndex, to, cancellationToken);
                return;
            }
            using var source = new HandleSource(file);
            await index.ReadFrameAsync(source, frameIndex, to, cancellationToken);
        }
        catch (DicomParseException exception)
        {
            throw new OriginException(OriginFailure.Broken, "The frame cannot be read from its file.", exception);
        }
    }

    // A deflated stream has no middle: the whole data set is inflated, one at a time, for it may be large and lie about it.
    private async Task ReadDeflatedFrameAsync(InstanceEntry instance, SafeFileHandle file, FrameIndex index, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        await _inflating.WaitAsync(cancellationToken);
        try
        {
            var options = DicomReadOptions.Default with { StopBeforePixels = false, MaxInflatedBytes = InstanceFrames.MaxInflatedBytes, MaxBufferBytes = InstanceFrames.MaxInflatedBytes };
            using var whole = Parse(file, instance.Item, options, cancellationToken);
            using var source = DicomSource.FromFile(whole);
            await index.ReadFrameAsync(source, frameIndex, to, cancellationToken);
        }
        finally
        {
            _inflating.Release();
        }
    }

    private ValueTask<FrameIndex> GetFrameIndexAsync(InstanceEntry instance, SafeFileHandle file, CancellationToken cancellationToken) =>
        InstanceFrames.GetIndexAsync(_cache, instance, (Origin: this, Instance: instance, File: file), static async (state, token) =>
        {
            using var source = new HandleSource(state.File);
            using var dicom = state.Origin.Parse(state.File, state.Instance.Item, DicomReadOptions.Default, token);
            return await FrameIndex.ReadAsync(source, dicom, token);
        }, cancellationToken);

    private DicomFile ReadHeader(InstanceEntry instance, CancellationToken cancellationToken)
    {
        using var file = OpenFile(instance);
        try
        {
            var dicom = Parse(file, instance.Item, DicomReadOptions.Default, cancellationToken);
            CheckUnchanged(file, instance);
            return dicom;
        }
        catch (DicomParseException exception)
        {
            throw new OriginException(OriginFailure.Broken, "The header cannot be read.", exception);
        }
    }

    /// <summary>On Linux by the open file itself, so that what is parsed is what was checked.</summary>
    private DicomFile Parse(SafeFileHandle file, OriginItem item, DicomReadOptions options, CancellationToken cancellationToken) =>
        DicomFile.Read(OperatingSystem.IsLinux() ? $"/proc/self/fd/{file.DangerousGetHandle()}" : PathOf(item), options, cancellationToken);

    private SafeFileHandle OpenFile(InstanceEntry instance)
    {
        var file = OpenFile(instance.Item, out var stamp);
        if (stamp == instance.Stamp) return file;
        file.Dispose();
        throw Changed();
    }

    private static void CheckUnchanged(SafeFileHandle file, InstanceEntry instance)
    {
        if (FileSystem.GetStamp(file) != instance.Stamp) throw Changed();
    }

    private OriginRead MakeRead(SafeFileHandle file, OriginItem item, FileStamp stamp, bool matches, ByteRange? range)
    {
        var offset = range?.Offset ?? 0;
        if (matches && offset >= 0 && (offset < stamp.Length || range is null))
            return new FileRead(file, VersionOf(item, stamp), stamp, offset, Math.Min(range?.Count ?? long.MaxValue, stamp.Length - offset));
        file.Dispose();
        throw matches ? new ArgumentOutOfRangeException(nameof(range), "The range begins beyond the end.") : Changed();
    }

    private static OriginException Changed() => new(OriginFailure.Changed, "The file is not the version that the catalog knows.");

    /// <summary>Straight from the file into the writer's segments.</summary>
    internal static async ValueTask CopyAsync(SafeFileHandle file, long offset, long length, EntryWriter to, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var memory = to.GetMemory((int)Math.Min(length, FileRead.ChunkBytes));
            var read = FileRead.Read(file, memory.Span[..(int)Math.Min(memory.Length, length)], offset);
            to.Advance(read);
            offset += read;
            length -= read;
            if (length > 0) await to.FlushAsync(cancellationToken);
        }
    }
}
