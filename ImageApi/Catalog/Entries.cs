using System.Diagnostics.CodeAnalysis;
using ImageApi.Origins;
using Platform.TieredCache;

namespace ImageApi.Catalog;

/// <summary>An instance as the catalog knows it: enough to find, order, describe and deliver its frames.</summary>
internal sealed record InstanceEntry
{
    private readonly Digest256 _headerContent;

    public required string StudyUid { get; init; }
    public required string SeriesUid { get; init; }
    public required string SopUid { get; init; }
    public required string SopClassUid { get; init; }
    public required string TransferSyntaxUid { get; init; }

    /// <summary>The origin that serves it: the first of its locations in the order of <see cref="IOrigins.All"/>, then by path.</summary>
    public required string OriginName { get; init; }
    public required OriginItem Item { get; init; }
    public required OriginVersion Version { get; init; }

    /// <summary>The file as <c>stat</c> saw it when it was read.</summary>
    public required FileStamp Stamp { get; init; }

    /// <summary>SHA-256("c1", origin, item, version): the first part of every cache key.</summary>
    public required Digest256 Content { get; init; }

    /// <summary>
    /// What metadata, bulk data and the whole instance are keyed by. The same as <see cref="Content"/> where the item is one file; where an origin tells of
    /// attributes and pixels apart it changes with any attribute, so that a corrected name does not cost the frames.
    /// </summary>
    public Digest256 HeaderContent { get => _headerContent.IsNone ? Content : _headerContent; init => _headerContent = value; }

    /// <summary>Whether it was learnt of a server that speaks DICOMweb: its file can be had whole only, and its length is not known before.</summary>
    public bool IsRemote { get; init; }

    /// <summary>Instance Number, or null.</summary>
    public int? Number { get; init; }

    /// <summary>Rows and columns in pixels; 0 when the instance is no image.</summary>
    public int Rows { get; init; }
    public int Columns { get; init; }

    /// <summary>Number of Frames; 1 when an image does not say, 0 when the instance has no pixels.</summary>
    public int FrameCount { get; init; }
    public int SamplesPerPixel { get; init; }
    public int BitsAllocated { get; init; }
    public int BitsStored { get; init; }
    public bool IsSigned { get; init; }
    public bool IsPlanar { get; init; }

    /// <summary>Photometric Interpretation; empty when the instance is no image.</summary>
    public string Photometric { get; init; } = "";

    /// <summary>Where the value of the pixel data begins in the file, in bytes; -1 when there is none or when it lies in a deflated data set.</summary>
    public long PixelOffset { get; init; } = -1;

    /// <summary>The length of the pixel data's value in bytes; -1 when undefined (encapsulated).</summary>
    public long PixelLength { get; init; } = -1;

    /// <summary>Image Position (Patient) in mm and Image Orientation (Patient); null when absent or not finite.</summary>
    public double[]? Position { get; init; }
    public double[]? Orientation { get; init; }

    public InstanceRef Ref => new(StudyUid, SeriesUid, SopUid);
    public bool HasPixels => FrameCount > 0;

    /// <summary>The last part of the item's path.</summary>
    public string FileName => Item.Path[(Item.Path.LastIndexOf('/') + 1)..];
}

/// <summary>A series and its instances in display order: a snapshot.</summary>
internal sealed class SeriesEntry
{
    private readonly Dictionary<string, int> _indexBySopUid;

    public SeriesEntry(string studyUid, string seriesUid, string? modality, int? number, string? description, Digest256 content, IReadOnlyList<InstanceEntry> instances, SeriesGeometry? geometry)
    {
        (StudyUid, SeriesUid, Modality, Number, Description, Content, Instances, Geometry) = (studyUid, seriesUid, modality, number, description, content, instances, geometry);
        _indexBySopUid = new Dictionary<string, int>(instances.Count, StringComparer.Ordinal);
        for (var i = 0; i < instances.Count; i++) _indexBySopUid[instances[i].SopUid] = i;
    }

    public string StudyUid { get; }
    public string SeriesUid { get; }
    public string? Modality { get; }
    public int? Number { get; }
    public string? Description { get; }

    /// <summary>SHA-256 over the SOP Instance UIDs and contents: another value whenever an instance is added, changed or removed.</summary>
    public Digest256 Content { get; }

    /// <summary>In display order: along the slice normal when the geometry is consistent, else by instance number, then by SOP Instance UID.</summary>
    public IReadOnlyList<InstanceEntry> Instances { get; }

    /// <summary>Set when every instance is a plane of one orientation and no two share a position.</summary>
    public SeriesGeometry? Geometry { get; }

    public bool TryGetInstance(string sopUid, [NotNullWhen(true)] out InstanceEntry? instance)
    {
        var found = _indexBySopUid.TryGetValue(sopUid, out var index);
        instance = found ? Instances[index] : null;
        return found;
    }
}

/// <summary>The common geometry of a series of parallel planes.</summary>
/// <param name="Orientation">Row and column direction cosines (6 values).</param>
/// <param name="Normal">Their cross product (3 values): instances are ordered by rising distance along it.</param>
/// <param name="Spacing">The median distance between neighbours in mm; 0 for a single plane.</param>
/// <param name="IsRegular">Every distance is within 1 % (at least 0.01 mm) of the median: the planes make a volume.</param>
internal sealed record SeriesGeometry(double[] Orientation, double[] Normal, double Spacing, bool IsRegular);

/// <summary>A study and its series: a snapshot.</summary>
internal sealed class StudyEntry(string studyUid, Digest256 content, IReadOnlyList<SeriesEntry> series)
{
    public string StudyUid { get; } = studyUid;

    /// <summary>SHA-256 over the series' UIDs and contents.</summary>
    public Digest256 Content { get; } = content;

    /// <summary>By series number, then UID.</summary>
    public IReadOnlyList<SeriesEntry> Series { get; } = series;
}
