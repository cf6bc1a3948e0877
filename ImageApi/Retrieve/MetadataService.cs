using System.Buffers;
using ImageApi.Catalog;
using ImageApi.HttpCaching;
using ImageApi.Origins;
using ImageApi.Origins.Dicomweb;
using Platform.Dicom;
using Platform.Dicom.Json;
using Platform.TieredCache;

namespace ImageApi.Retrieve;

/// <summary>Some instances of one content whose metadata is one document.</summary>
internal sealed record MetadataPart(Digest256 Content, int Index, IReadOnlyList<InstanceEntry> Instances);

/// <summary>
/// Metadata documents (PS3.18 10.4.1.1.3): DICOM JSON arrays, each made once from the instances' headers and kept with its compressed variants.
/// A long series is several documents, so that no document is large.
/// </summary>
internal sealed class MetadataService(DocumentCache documents, InstanceHeaders headers)
{
    private const int MaxInstances = 1000;
    private const long MaxHeaderBytes = 4 << 20;
    private const int MaxInlineBytes = 256;

    public static readonly DocumentRecipe Recipe = new(EntryKind.Metadata, "dicom-json-metadata", 1);

    /// <summary>The documents that a series' metadata is made of: one, unless the series is long or its headers are large.</summary>
    public static IReadOnlyList<MetadataPart> Split(SeriesEntry series)
    {
        var parts = new List<MetadataPart>(1);
        var start = 0;
        var headerBytes = 0L;
        for (var i = 0; i < series.Instances.Count; i++)
        {
            var bytes = HeaderBytes(series.Instances[i]);
            if (i > start && (i - start >= MaxInstances || headerBytes + bytes > MaxHeaderBytes))
            {
                parts.Add(Part(start, i));
                (start, headerBytes) = (i, 0);
            }
            headerBytes += bytes;
        }
        parts.Add(Part(start, series.Instances.Count));
        return parts;

        MetadataPart Part(int from, int to) => new(series.Content, parts.Count,
            from == 0 && to == series.Instances.Count ? series.Instances : [.. series.Instances.Skip(from).Take(to - from)]);
    }

    public static MetadataPart Of(InstanceEntry instance) => new(instance.HeaderContent, 0, [instance]);

    /// <summary>One document. The caller disposes the lease.</summary>
    /// <exception cref="OriginException">An origin failed, or an instance is not as the catalog says; the catalog was told then.</exception>
    public ValueTask<CacheLease> GetAsync(MetadataPart part, ContentCoding coding, CancellationToken cancellationToken) =>
        documents.GetAsync(new Document(part.Content, Recipe, part.Index), coding, (Service: this, Part: part),
            static (state, to, token) => state.Service.WriteAsync(state.Part, to, token), cancellationToken);

    private async Task WriteAsync(MetadataPart part, EntryWriter to, CancellationToken cancellationToken)
    {
        to.Start(new EntryHeader(RetrieveOffers.DicomJson) { Tags = CacheTags.Of(part.Instances) });
        to.Write("["u8);
        var isFirst = true;
        await foreach (var metadata in headers.ReadAsync(part.Instances, cancellationToken))
        {
            if (!isFirst)
                to.Write(","u8);
            isFirst = false;
            WriteInstance(metadata, to);
        }
        to.Write("]"u8);
    }

    private static void WriteInstance(InstanceMetadata metadata, EntryWriter to)
    {
        var location = InstanceUrl.Of(metadata.Instance) + "/bulkdata/";
        if (!metadata.Json.IsEmpty)
        {
            // What the origin says is passed on, attribute by attribute; only where values lie is ours to say.
            BulkDataUris.Rewrite(metadata.Json.Span, to, location);
            return;
        }
        DicomJsonWriter.Write(to, metadata.File, new DicomJsonOptions
        {
            MaxInlineBytes = MaxInlineBytes,
            BulkDataUri = (in value) => location + InstanceUrl.BulkDataPath(value),
        });
    }

    // The pixels' offset is the header's size; where there are no pixels the file is all header.
    private static long HeaderBytes(InstanceEntry instance) => instance.PixelOffset > 0 ? instance.PixelOffset : instance.Stamp.Length;
}
