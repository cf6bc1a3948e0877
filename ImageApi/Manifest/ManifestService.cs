using System.Buffers;
using System.Text.Json;
using ImageApi.Catalog;
using ImageApi.Frames;
using ImageApi.HttpCaching;
using ImageApi.Negotiation;
using ImageApi.Origins;
using ImageApi.Retrieve;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Manifest;

/// <summary>Makes manifests from the instances' headers and keeps them, with their compressed variants, by the series' content.</summary>
internal sealed class ManifestService(DocumentCache documents, InstanceHeaders headers, FrameService frames, ITieredCache cache)
{
    public const string MediaType = "application/json";

    private static readonly DocumentRecipe Recipe = new(EntryKind.Manifest, "series-manifest;" + FrameForms.Encoding, 2);

    // The same with what becomes known when the frames have been made. A document of its own: what is kept never changes.
    private static readonly DocumentRecipe CompleteRecipe = new(EntryKind.Manifest, "series-manifest-complete;" + FrameForms.Encoding, 2);

    public static Document DocumentOf(SeriesEntry series) => new(series.Content, Recipe);

    public static Document CompleteDocumentOf(SeriesEntry series) => new(series.Content, CompleteRecipe);

    /// <summary>Whether more will be known of the series' frames when they have been made.</summary>
    public static bool HasMoreToCome(SeriesEntry series) => series.Instances.Any(FrameForms.HasPreview);

    /// <summary>The manifest in a coding. The caller disposes the lease.</summary>
    /// <exception cref="OriginException">An origin failed, or an instance is not as the catalog says; the catalog was told then.</exception>
    public ValueTask<CacheLease> GetAsync(SeriesEntry series, ContentCoding coding, CancellationToken cancellationToken) =>
        documents.GetAsync(DocumentOf(series), coding, (Service: this, Series: series), static async (state, to, token) =>
        {
            var manifest = await state.Service.MakeAsync(state.Series, token);
            to.Start(new EntryHeader(MediaType) { Tags = CacheTags.Of(state.Series.Instances) });
            await using var json = new Utf8JsonWriter(to);
            JsonSerializer.Serialize(json, manifest, ManifestJson.Default.SeriesManifest);
        }, cancellationToken);

    /// <summary>The manifest with digests and resolutions, where it was made; null else. The caller disposes the lease.</summary>
    public ValueTask<CacheLease?> TryGetCompleteAsync(SeriesEntry series, CancellationToken cancellationToken) =>
        cache.TryGetAsync(CompleteDocumentOf(series).Key(ContentCoding.Identity), cancellationToken);

    /// <summary>A coding of the manifest that <see cref="TryGetCompleteAsync"/> gave. The caller disposes the lease.</summary>
    public ValueTask<CacheLease> GetCompleteAsync(SeriesEntry series, CacheLease complete, ContentCoding coding, CancellationToken cancellationToken) =>
        documents.GetAsync(CompleteDocumentOf(series), coding, complete, static async (text, to, token) =>
        {
            using var copy = new LeasedBytes();
            var bytes = await copy.ReadAsync(text, int.MaxValue, token);
            to.Start(new EntryHeader(MediaType) { Tags = text.Header.Tags });
            foreach (var segment in bytes) to.Write(segment.Span);
        }, cancellationToken);

    /// <summary>
    /// Makes the manifest with digests and resolutions of all frames that have a preview, if all of them are known by now. True when it is new. Frames without
    /// preview are left out of it, so that it is the same whenever it is made.
    /// </summary>
    public async Task<bool> TryCompleteAsync(SeriesEntry series, CancellationToken cancellationToken)
    {
        if (!HasMoreToCome(series)) return false;
        if (await TryGetCompleteAsync(series, cancellationToken) is { } complete)
        {
            await complete.DisposeAsync();
            return false;
        }

        SeriesManifest manifest;
        await using (var lease = await GetAsync(series, ContentCoding.Identity, cancellationToken))
        {
            using var copy = new LeasedBytes();
            manifest = Read(await copy.ReadAsync(lease, int.MaxValue, cancellationToken));
        }

        var all = new List<ManifestFrame>(manifest.Frames.Count);
        foreach (var frame in manifest.Frames)
        {
            if (!series.TryGetInstance(frame.Instance, out var instance)) return false;
            if (!FrameForms.HasPreview(instance))
            {
                all.Add(frame);
                continue;
            }
            if (await frames.TryGetFactsAsync(instance, frame.Frame - 1, cancellationToken) is not { } facts) return false;
            all.Add(facts.PixelDigest.IsNone ? frame : frame with { PixelDigest = facts.PixelDigest.ToString(), ResolutionEnds = facts.ResolutionEnds.IsEmpty ? null : facts.ResolutionEnds });
        }

        await using var made = await documents.GetAsync(CompleteDocumentOf(series), ContentCoding.Identity, (Manifest: manifest with { Frames = all }, Series: series), static async (state, to, token) =>
        {
            to.Start(new EntryHeader(MediaType) { Tags = CacheTags.Of(state.Series.Instances) });
            await using var json = new Utf8JsonWriter(to);
            JsonSerializer.Serialize(json, state.Manifest, ManifestJson.Default.SeriesManifest);
        }, cancellationToken);
        return true;
    }

    private static SeriesManifest Read(ReadOnlySequence<byte> bytes)
    {
        var json = new Utf8JsonReader(bytes);
        return JsonSerializer.Deserialize(ref json, ManifestJson.Default.SeriesManifest) ?? throw new InvalidDataException("A manifest is empty.");
    }

    /// <summary>Reads every header of the series once, in bounded memory, and describes it.</summary>
    public async Task<SeriesManifest> MakeAsync(SeriesEntry series, CancellationToken cancellationToken)
    {
        var frames = new List<FrameDraft>(series.Instances.Count);
        var others = new List<ManifestOther>();
        SeriesManifest? common = null;
        await foreach (var (instance, file) in headers.ReadAsync(series.Instances, cancellationToken))
        {
            var dataset = file.Dataset;
            common ??= Common(series, dataset);
            if (!instance.HasPixels)
            {
                others.Add(new ManifestOther(instance.SopUid, instance.SopClassUid, Title(dataset)));
                continue;
            }
            var attributes = new FrameAttributes(dataset, instance);
            for (var i = 0; i < instance.FrameCount; i++)
                frames.Add(new FrameDraft(instance, i, attributes.Geometry(i), attributes.Position(i), attributes.Pixel(i), attributes.Windows(i)));
        }
        common ??= Common(series, new DicomDataset());
        return frames.Count == 0 ? common with { Others = others } : WithFrames(common with { Others = others }, frames);
    }

    private static SeriesManifest WithFrames(SeriesManifest common, List<FrameDraft> drafts)
    {
        var (order, spacing, isEven) = DisplayOrder.Of([.. drafts.Select(d => new DisplayOrder.Plane(d.Geometry.Orientation, d.Position))]);
        var first = drafts[order[0]];
        var frames = new List<ManifestFrame>(drafts.Count);
        var isOneShape = true;
        foreach (var index in order)
        {
            var draft = drafts[index];
            var hasGeometry = ManifestEquality.Same(draft.Geometry, first.Geometry);
            isOneShape &= ManifestEquality.SameShape(draft.Geometry, first.Geometry);
            frames.Add(new ManifestFrame
            {
                Instance = draft.Instance.SopUid,
                Frame = draft.FrameIndex + 1,
                Number = draft.Instance.Number,
                Url = Url(draft.Instance, draft.FrameIndex + 1),
                TransferSyntax = DicomTransferSyntax.FromUid(draft.Instance.TransferSyntaxUid).IsEncapsulated
                    ? draft.Instance.TransferSyntaxUid
                    : TransferSyntaxMediaTypes.ExplicitVrLittleEndian,
                Length = FrameService.NativeLength(draft.Instance),
                Position = draft.Position,
                Geometry = hasGeometry ? null : draft.Geometry,
                Pixel = draft.Pixel == first.Pixel ? null : draft.Pixel,
                Window = draft.Windows.FirstOrDefault() == first.Windows.FirstOrDefault() ? null : draft.Windows.FirstOrDefault(),
            });
        }
        return common with
        {
            Preview = drafts.Exists(draft => FrameForms.HasPreview(draft.Instance))
                ? $"/api/series/{common.Series}/preview?{VersionedUrl.Parameter}={common.Version}&{VersionedUrl.EncodingParameter}={FrameForms.Encoding}" : null,
            Geometry = first.Geometry with { Spacing = spacing, IsVolume = isEven && isOneShape && drafts.Count >= 3 },
            Pixel = first.Pixel,
            Window = first.Windows.FirstOrDefault(),
            Windows = first.Windows,
            Frames = frames,
        };
    }

    private static SeriesManifest Common(SeriesEntry series, DicomDataset dataset) => new()
    {
        Version = series.Content.ToShortString(),
        Study = series.StudyUid,
        Series = series.SeriesUid,
        Modality = series.Modality,
        Number = series.Number,
        Description = series.Description,
        Patient = new ManifestPatient(
            dataset.GetString(DicomTags.PatientName), dataset.GetString(DicomTags.PatientID),
            dataset.GetString(DicomTags.PatientSex), dataset.GetString(DicomTags.PatientBirthDate)),
        StudyDate = dataset.GetString(DicomTags.StudyDate),
        StudyDescription = dataset.GetString(DicomTags.StudyDescription),
        Windows = [],
        Frames = [],
        Others = [],
    };

    private static string? Title(DicomDataset dataset) =>
        dataset.GetString(DicomTags.DocumentTitle) ?? dataset.GetString(DicomTags.ContentLabel)
        ?? dataset.GetItem(DicomTags.ConceptNameCodeSequence)?.GetString(DicomTags.CodeMeaning) ?? dataset.GetString(DicomTags.SeriesDescription);

    private static string Url(InstanceEntry instance, int frameNumber) =>
        $"{InstanceUrl.OfFrame(instance, frameNumber)}?{VersionedUrl.Parameter}={instance.Content.ToShortString()}"
        + (FrameForms.HasPreview(instance) ? $"&{VersionedUrl.EncodingParameter}={FrameForms.Encoding}" : "");

    private sealed record FrameDraft(InstanceEntry Instance, int FrameIndex, ManifestGeometry Geometry, double[]? Position, ManifestPixel Pixel, IReadOnlyList<ManifestWindow> Windows);
}

/// <summary>Records compare arrays by reference; geometry is compared by value.</summary>
internal static class ManifestEquality
{
    public static bool Same(ManifestGeometry x, ManifestGeometry y) =>
        x.FrameOfReference == y.FrameOfReference && SameShape(x, y) && Same(x.Orientation, y.Orientation);

    /// <summary>
    /// Whether planes fit into one volume. The frame of reference is left out: a series has one by definition (PS3.3 C.7.4.1), and files where it
    /// differs come from anonymisers that replaced it slice by slice.
    /// </summary>
    public static bool SameShape(ManifestGeometry x, ManifestGeometry y) =>
        x.Rows == y.Rows && x.Columns == y.Columns && Same(x.PixelSpacing, y.PixelSpacing);

    private static bool Same(double[]? x, double[]? y) => x is null ? y is null : y is not null && x.AsSpan().SequenceEqual(y);
}
