using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Retrieve;
using Platform.Dicom;
using Platform.Dicom.Json;
using Platform.Dicom.Pixels;
using Platform.TieredCache;

namespace ImageApi.Origins.Dicomweb;

/// <summary>
/// A PACS behind DICOMweb. What it says of a series is learnt by <see cref="SeriesBook"/>; frames are asked for one by one, and where it does not send them as
/// it should they are found in whole instances. What it sends is held to what it said: bytes of another length, of another instance or under a wrong name are
/// refused and never kept.
/// </summary>
internal sealed class DicomwebOrigin : IDicomOrigin
{
    /// <summary>The most bytes of one compressed frame, beyond twice its native size.</summary>
    private const long MaxFrameBytes = 64L << 20;

    /// <summary>The most bytes of one instance or one bulk data value.</summary>
    private const long MaxInstanceBytes = 4L << 30;

    /// <summary>The most bytes of a data set that is read into memory whole: a deflated one, or one with an element that lies nowhere else.</summary>
    private const int MaxWholeBytes = 128 << 20;

    private const string OctetStream = "application/octet-stream";
    private const int MaxLooks = 8;
    private static readonly RecipeId ProbeRecipe = RecipeId.Of("dicomweb-frame-as-sent", 1);
    private static readonly EntryPolicy ProbePolicy = EntryPolicy.Derived with { Remote = true, Ttl = TimeSpan.FromMinutes(2) };
    private static readonly EntryPolicy InstancePolicy = EntryPolicy.For(EntryKind.File);

    private readonly DicomwebClient _client;
    private readonly ITieredCache _cache;
    private readonly SeriesMetadata _metadata;
    private readonly ILogger _logger;
    private readonly Func<PeerProfile> _profile;

    public DicomwebOrigin(string name, OriginOptions options, DicomwebClient client, Func<PeerProfile> profile, ITieredCache cache, IRecordStore records, TimeProvider time, ILogger logger)
    {
        (Name, _client, _profile, _cache, _logger) = (name, client, profile, cache, logger);
        var freshness = SeriesFreshness.Of(options.Freshness);
        Methods = options.Methods;
        _metadata = new SeriesMetadata(name, client, cache, time, freshness.Ttl);
        Series = new SeriesBook(name, _metadata, cache, records, freshness, time, logger) { LookAsync = LookAsync, FindStudyAsync = FindStudyOfSeriesAsync };
        Searches = new RemoteSearch(name, client, time);
    }

    public string Name { get; }
    public OriginTraits Traits => OriginTraits.None;

    /// <summary>What is known of its series.</summary>
    public SeriesBook Series { get; }

    /// <summary>Asks it to search.</summary>
    public RemoteSearch Searches { get; }

    public DicomwebClient Client => _client;

    /// <summary>Unsafe methods that may be passed through to it.</summary>
    public IReadOnlyList<string> Methods { get; }

    public async ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken) =>
        await FindAsync(item, cancellationToken) is { } instance ? instance.Version : null;

    public async Task<OriginRead> OpenAsync(OriginItem item, OriginVersion? ifMatch, ByteRange? range, CancellationToken cancellationToken)
    {
        var instance = await FindAsync(item, cancellationToken) ?? throw new OriginException(OriginFailure.Absent, "The origin has no such instance.");
        if (ifMatch is { } version && instance.Version != version) throw Changed();
        return await OpenAsync(instance, range, cancellationToken);
    }

    /// <summary>The instance by way of the tiers: it is fetched whole, once.</summary>
    public async Task<OriginRead> OpenAsync(InstanceEntry instance, ByteRange? range, CancellationToken cancellationToken)
    {
        var stream = await LeaseStream.OpenAsync(await GetInstanceAsync(instance, cancellationToken), cancellationToken);
        var offset = range?.Offset ?? 0;
        if (offset >= 0 && (offset < stream.Length || range is null)) return new StreamRead(stream, instance.Version, offset, Math.Min(range?.Count ?? long.MaxValue, stream.Length - offset));
        await stream.DisposeAsync();
        throw new ArgumentOutOfRangeException(nameof(range), "The range begins beyond the end.");
    }

    public async IAsyncEnumerable<InstanceMetadata> GetMetadataAsync(IReadOnlyList<InstanceEntry> instances, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var start = 0; start < instances.Count;)
        {
            var end = start + 1;
            while (end < instances.Count && instances[end].SeriesUid == instances[start].SeriesUid) end++;
            var series = await FindSeriesAsync(instances[start], cancellationToken);
            await using var json = await LeaseStream.OpenAsync(await _metadata.GetAsync(series.Key, series.Metadata, cancellationToken), cancellationToken);
            for (; start < end; start++)
            {
                var bytes = await ReadJsonAsync(series, instances[start], json, cancellationToken);
                using var file = new DicomFile(ParseJson(bytes), DicomTransferSyntax.FromUid(instances[start].TransferSyntaxUid));
                yield return new InstanceMetadata(instances[start], file) { Json = bytes };
            }
        }
    }

    public async Task<FrameDescription> ReadFrameAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frameIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frameIndex, instance.FrameCount);
        var description = Describe(instance);
        if (await TryCopyProbeAsync(instance, frameIndex, to, cancellationToken)) return description;
        var series = await FindSeriesAsync(instance, cancellationToken);
        if (!series.Facts.FromInstances && _profile().HasFrames)
        {
            if (await TryReadSentFrameAsync(instance, frameIndex, instance.TransferSyntaxUid, to, cancellationToken)) return description;
            _logger.FramesFromInstances(Name);
            await Series.UseInstancesAsync(instance, cancellationToken);
        }
        await ReadFrameOfInstanceAsync(instance, frameIndex, to, cancellationToken);
        return description;
    }

    public async Task<bool> ReadBulkDataAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken)
    {
        var series = await FindSeriesAsync(instance, cancellationToken);
        byte[] bytes;
        await using (var json = await LeaseStream.OpenAsync(await _metadata.GetAsync(series.Key, series.Metadata, cancellationToken), cancellationToken))
            bytes = await ReadJsonAsync(series, instance, json, cancellationToken);

        if (BulkDataUris.Find(bytes, path) is { } address)
        {
            await ReadAddressAsync(instance, address, to, cancellationToken);
            return true;
        }
        using var file = new DicomFile(ParseJson(bytes), DicomTransferSyntax.ExplicitVrLittleEndian);
        if (BulkDataPath.FindElement(file, path) is { IsSequence: false } element)
        {
            to.Start(new EntryHeader(OctetStream) { Length = element.Length, Tags = CacheTags.Of(instance) });
            element.WriteLittleEndian(to);
            return true;
        }
        return await ReadBulkDataOfInstanceAsync(instance, path, to, cancellationToken);
    }

    /// <summary>The whole instance as the server sends it, from the tiers where they have it. The caller disposes the lease.</summary>
    public ValueTask<CacheLease> GetInstanceAsync(InstanceEntry instance, CancellationToken cancellationToken) =>
        _cache.GetOrCreateAsync(new CacheKey(instance.HeaderContent, EntryKind.File, RecipeId.AsStored, 0), (Origin: this, Instance: instance), InstancePolicy,
            static (state, to, token) => state.Origin.FetchInstanceAsync(state.Instance, to, token), cancellationToken);

    /// <summary>Something was changed on the server by way of us: what is known has to be asked about again.</summary>
    public void Forget()
    {
        Searches.Forget();
        Series.Distrust();
    }

    /// <summary>The series that a URL of this origin names, or null.</summary>
    public ValueTask<RemoteSeries?> FindSeriesAsync(string? studyUid, string seriesUid, CancellationToken cancellationToken) => Series.FindAsync(studyUid, seriesUid, cancellationToken);

    private async ValueTask<RemoteSeries> FindSeriesAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        var series = await Series.FindAsync(instance.StudyUid, instance.SeriesUid, cancellationToken);
        if (series is null || !series.Entry.TryGetInstance(instance.SopUid, out var now)) throw new OriginException(OriginFailure.Absent, "The origin has no such instance any more.");
        return now.HeaderContent == instance.HeaderContent ? series : throw Changed();
    }

    private async ValueTask<InstanceEntry?> FindAsync(OriginItem item, CancellationToken cancellationToken)
    {
        var parts = item.Path.Split('/');
        if (parts is not ["studies", var study, "series", var series, "instances", var sop]) return null;
        return await Series.FindAsync(study, series, cancellationToken) is { } found && found.Entry.TryGetInstance(sop, out var instance) ? instance : null;
    }

    private async Task<string?> FindStudyOfSeriesAsync(string seriesUid, CancellationToken cancellationToken)
    {
        var rows = await Searches.FindAsync($"series?SeriesInstanceUID={seriesUid}&limit=2", CatalogLevel.Series, cancellationToken);
        return rows.FirstOrDefault(row => row.SeriesUid == seriesUid)?.StudyUid;
    }

    /// <summary>
    /// Finds out in which transfer syntax a series' frames come: by asking for one, which is what a viewer asks for next anyway. Where frames do not come as they
    /// should, the file meta information of a whole instance tells.
    /// </summary>
    private async Task<SeriesFacts> LookAsync(RemoteSeries series, CancellationToken cancellationToken)
    {
        // Instances that look alike are taken to be stored alike: one of each look is asked for. What turns out otherwise is corrected when it comes.
        var looks = series.Entry.Instances.GroupBy(entry => series.TryGetMember(entry.SopUid, out var member) ? member.Look : default).Select(group => group.ToArray()).OrderByDescending(group => group.Length).ToArray();
        var found = await LookAtAsync(looks[0][0], cancellationToken);
        var others = new Dictionary<string, string>(StringComparer.Ordinal);
        var fromInstances = found.FromInstances;
        foreach (var look in looks.Skip(1).Take(MaxLooks))
        {
            var other = await LookAtAsync(look[0], cancellationToken);
            fromInstances |= other.FromInstances;
            foreach (var entry in look) others[entry.SopUid] = other.TransferSyntaxUid;
        }
        return new SeriesFacts(found.TransferSyntaxUid, others.ToFrozenDictionary(StringComparer.Ordinal), fromInstances);
    }

    private async Task<(string TransferSyntaxUid, bool FromInstances)> LookAtAsync(InstanceEntry instance, CancellationToken cancellationToken)
    {
        if (instance.HasPixels && _profile().HasFrames)
        {
            try
            {
                await using var probe = await _cache.GetOrCreateAsync(ProbeKey(instance, 0), (Origin: this, Instance: instance), ProbePolicy, static async (state, to, token) =>
                {
                    if (!await state.Origin.TryReadSentFrameAsync(state.Instance, 0, null, to, token)) throw new FramesNotSentException();
                }, cancellationToken);
                return (SyntaxOf(probe.Header.MediaType), false);
            }
            catch (FramesNotSentException)
            {
                _logger.FramesFromInstances(Name);
            }
        }
        await using var stream = await LeaseStream.OpenAsync(await GetInstanceAsync(instance, cancellationToken), cancellationToken);
        using var file = await ParseAsync(instance, stream, cancellationToken);
        return (file.TransferSyntax.Uid, instance.HasPixels);
    }

    private async ValueTask<bool> TryCopyProbeAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        if (frameIndex != 0 || await _cache.TryGetAsync(ProbeKey(instance, 0), cancellationToken) is not { } probe) return false;
        await using (probe)
        {
            await probe.WaitUntilCompleteAsync(cancellationToken);
            if (!IsSame(SyntaxOf(probe.Header.MediaType), instance.TransferSyntaxUid) || !probe.TryGetBytes(out var bytes)) return false;
            to.Start(new EntryHeader(MediaTypeOf(instance.TransferSyntaxUid)) { Length = bytes.Length, Tags = CacheTags.Of(instance) });
            foreach (var segment in bytes) to.Write(segment.Span);
            return true;
        }
    }

    /// <summary>
    /// Asks for one frame. False, with nothing written, when what comes is not that frame as it should be: another way has to be tried then.
    /// </summary>
    /// <param name="instance">Which.</param>
    /// <param name="frameIndex">0-based.</param>
    /// <param name="expected">The transfer syntax that was promised to clients; null while none was.</param>
    /// <param name="to">Gets the bytes; its header says in which transfer syntax they came.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    private async Task<bool> TryReadSentFrameAsync(InstanceEntry instance, int frameIndex, string? expected, EntryWriter to, CancellationToken cancellationToken)
    {
        DicomwebPart part;
        try
        {
            part = await _client.OpenAsync(_client.UriOf($"{instance.Item.Path}/frames/{frameIndex + 1}"), _profile().FrameAccept, cancellationToken);
        }
        catch (OriginException exception) when (exception.Status is 400 or 404 or 406 or 410 or 415 or 500 or 501)
        {
            return false;
        }

        await using (part)
        {
            var first = await part.ReadAsync(cancellationToken);
            if (part.TransferSyntaxUid is not { } sent || !IsOf(instance, part.Location)) return false;
            var nativeBits = NativeBits(instance);
            var isNative = IsNative(sent);
            if (isNative)
            {
                // Compressed bytes under the name of native ones are a common fault; frames that do not end on a byte are cut differently by servers.
                if (sent == DicomTransferSyntax.ExplicitVrBigEndian.Uid || nativeBits % 8 != 0) return false;
                if (part.Length is { } length && length != nativeBits / 8 && length != RoundUp(nativeBits / 8)) return false;
            }
            else if (first.IsEmpty || !FrameSignatures.Fits(sent, first.Span))
            {
                return false;
            }
            if (expected is not null && !IsSame(sent, expected))
            {
                await Series.CorrectAsync(instance, sent, cancellationToken);
                throw Changed();
            }

            var exact = isNative ? nativeBits / 8 : part.Length;
            if (exact > MaxFrameBytes + (nativeBits / 4)) throw new OriginException(OriginFailure.Broken, "The frame is larger than this server takes.");
            to.Start(new EntryHeader(MediaTypeOf(sent)) { Length = exact, Tags = CacheTags.Of(instance) });
            await part.CopyToAsync(to, first, exact, MaxFrameBytes + (nativeBits / 4), cancellationToken);
            return true;
        }
    }

    private async Task ReadFrameOfInstanceAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = await LeaseStream.OpenAsync(await GetInstanceAsync(instance, cancellationToken), cancellationToken);
        using var file = await ParseAsync(instance, stream, cancellationToken);
        if (!IsSame(file.TransferSyntax.Uid, instance.TransferSyntaxUid))
        {
            await Series.CorrectAsync(instance, file.TransferSyntax.Uid, cancellationToken);
            throw Changed();
        }
        try
        {
            // A deflated stream has no middle: it is inflated whole.
            using var inflated = file.TransferSyntax.IsDeflated ? await ReadWholeAsync(stream, cancellationToken) : null;
            using var source = inflated is null ? DicomSource.FromStream(stream) : DicomSource.FromFile(inflated);
            var index = await FrameIndex.ReadAsync(source, file, cancellationToken) ?? throw new OriginException(OriginFailure.Broken, "The instance has no pixels.");
            if (frameIndex >= index.FrameCount) throw new OriginException(OriginFailure.Broken, "The instance holds fewer frames than its metadata say.");
            to.Start(new EntryHeader(MediaTypeOf(instance.TransferSyntaxUid)) { Length = index.GetLength(frameIndex), Tags = CacheTags.Of(instance) });
            await index.ReadFrameAsync(source, frameIndex, to, cancellationToken);
        }
        catch (DicomParseException exception)
        {
            throw new OriginException(OriginFailure.Broken, "The frame cannot be read from its instance.", exception);
        }
    }

    private async Task<bool> ReadBulkDataOfInstanceAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var stream = await LeaseStream.OpenAsync(await GetInstanceAsync(instance, cancellationToken), cancellationToken);
        using var file = await ReadWholeAsync(stream, cancellationToken);
        if (BulkDataPath.FindElement(file, path) is not { IsSequence: false, IsEncapsulated: false, IsDeferred: false } element) return false;
        to.Start(new EntryHeader(OctetStream) { Length = element.Length, Tags = CacheTags.Of(instance) });
        element.WriteLittleEndian(to);
        return true;
    }

    private static async ValueTask<DicomFile> ReadWholeAsync(Stream stream, CancellationToken cancellationToken)
    {
        stream.Position = 0;
        return await DicomFile.ReadAsync(stream, DicomReadOptions.Default with { StopBeforePixels = false, MaxBufferBytes = MaxWholeBytes, MaxInflatedBytes = MaxWholeBytes }, cancellationToken);
    }

    private async Task ReadAddressAsync(InstanceEntry instance, string address, EntryWriter to, CancellationToken cancellationToken)
    {
        // The road refuses any address that is not the origin's own.
        if (!Uri.TryCreate(_client.UriOf(""), address, out var uri)) throw new OriginException(OriginFailure.Broken, "The origin's address of a value is none.");
        await using var part = await _client.OpenAsync(uri, $"multipart/related; type=\"{OctetStream}\", {OctetStream};q=0.5", cancellationToken);
        var first = await part.ReadAsync(cancellationToken);
        to.Start(new EntryHeader(OctetStream) { Length = part.Length, Tags = CacheTags.Of(instance) });
        await part.CopyToAsync(to, first, part.Length, MaxInstanceBytes, cancellationToken);
    }

    private async Task FetchInstanceAsync(InstanceEntry instance, EntryWriter to, CancellationToken cancellationToken)
    {
        await using var part = await _client.OpenAsync(_client.UriOf(instance.Item.Path), _profile().InstanceAccept, cancellationToken);
        var first = await part.ReadAsync(cancellationToken);
        // The instance that was asked for has its UID in the file meta information, or in the first group.
        if (first.Span.IndexOf(Encoding.ASCII.GetBytes(instance.SopUid)) < 0)
            throw new OriginException(OriginFailure.Broken, "The origin sent something else than the instance.");
        to.Start(new EntryHeader(Negotiation.TransferSyntaxMediaTypes.Dicom) { Length = part.Length, Tags = CacheTags.Of(instance) });
        await part.CopyToAsync(to, first, part.Length, MaxInstanceBytes, cancellationToken);
    }

    private static async Task<DicomFile> ParseAsync(InstanceEntry instance, Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            stream.Position = 0;
            var file = await DicomFile.ReadAsync(stream, DicomReadOptions.Default, cancellationToken);
            if (file.Dataset.GetString(DicomTags.SOPInstanceUID) == instance.SopUid) return file;
            file.Dispose();
            throw new OriginException(OriginFailure.Broken, "The origin sent another instance.");
        }
        catch (Exception exception) when (exception is DicomParseException or EndOfStreamException)
        {
            throw new OriginException(OriginFailure.Broken, "The instance cannot be read.", exception);
        }
    }

    private static async Task<byte[]> ReadJsonAsync(RemoteSeries series, InstanceEntry instance, Stream json, CancellationToken cancellationToken)
    {
        if (!series.TryGetMember(instance.SopUid, out var member)) throw new OriginException(OriginFailure.Absent, "The origin has no such instance any more.");
        if (member.Entry.HeaderContent != instance.HeaderContent) throw Changed();
        var bytes = new byte[member.Length];
        json.Position = member.Start;
        await json.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private static DicomDataset ParseJson(byte[] bytes)
    {
        try
        {
            return DicomJsonReader.Read(bytes, SeriesReader.Lenient);
        }
        catch (Exception exception) when (exception is DicomJsonException or JsonException)
        {
            throw new OriginException(OriginFailure.Broken, "The metadata are no DICOM JSON.", exception);
        }
    }

    /// <summary>Whether what begins so can be a frame of the instance.</summary>
    public static bool Fits(InstanceEntry instance, DicomwebPart part, ReadOnlySpan<byte> first) =>
        part.TransferSyntaxUid is { } sent && IsOf(instance, part.Location) && (IsNative(sent) || FrameSignatures.Fits(sent, first));

    /// <summary>Whether a native frame of the instance has so many bytes, or one more of padding.</summary>
    public static bool IsNativeLength(InstanceEntry instance, long length) => length == NativeBits(instance) / 8 || length == RoundUp(NativeBits(instance) / 8);

    /// <summary>Where the answer says whose it is, it has to be this instance's.</summary>
    private static bool IsOf(InstanceEntry instance, string location) =>
        !location.Contains("/instances/", StringComparison.Ordinal) || location.EndsWith($"/instances/{instance.SopUid}", StringComparison.Ordinal) || location.Contains($"/instances/{instance.SopUid}/", StringComparison.Ordinal);

    private static bool IsNative(string syntaxUid) => DicomTransferSyntax.FromUid(syntaxUid) is { IsEncapsulated: false };

    /// <summary>Native frames are raw little endian whatever the file's own native syntax is.</summary>
    private static bool IsSame(string sent, string known) => sent == known || (known.Length > 0 && IsNative(sent) && IsNative(known));

    private static long NativeBits(InstanceEntry instance) => new PixelDescription
    {
        Rows = instance.Rows,
        Columns = instance.Columns,
        SamplesPerPixel = instance.SamplesPerPixel,
        BitsAllocated = instance.BitsAllocated,
        Photometric = instance.Photometric,
    }.FrameBits;

    private static long RoundUp(long bytes) => (bytes + 1) & ~1L;

    private static FrameDescription Describe(InstanceEntry instance) => new(
        instance.Rows, instance.Columns, instance.SamplesPerPixel, instance.BitsAllocated, instance.BitsStored, instance.IsSigned, instance.IsPlanar, instance.Photometric,
        IsNative(instance.TransferSyntaxUid) ? DicomTransferSyntax.ExplicitVrLittleEndian.Uid : instance.TransferSyntaxUid);

    private static string MediaTypeOf(string syntaxUid) => $"{OctetStream};transfer-syntax={(IsNative(syntaxUid) ? DicomTransferSyntax.ExplicitVrLittleEndian.Uid : syntaxUid)}";

    private static string SyntaxOf(string mediaType) => mediaType[(mediaType.IndexOf('=', StringComparison.Ordinal) + 1)..];

    private CacheKey ProbeKey(InstanceEntry instance, int frameIndex) =>
        new(OriginVersion.ContentOf(Name, instance.Item.Path, $"as-sent:{instance.HeaderContent}"), EntryKind.Frame, ProbeRecipe, frameIndex);

    private static OriginException Changed() => new(OriginFailure.Changed, "The instance is not as it was.");

    private sealed class FramesNotSentException : Exception;
}
