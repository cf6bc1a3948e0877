namespace Platform.Dicom;

/// <summary>What to read, and the limits that hostile input meets. Exceeding a limit is a <see cref="DicomParseException"/>.</summary>
public sealed record DicomReadOptions
{
    public static DicomReadOptions Default { get; } = new();

    /// <summary>
    /// Stop at the top level's pixel data, (7FE0,0008), (7FE0,0009) or (7FE0,0010): default true. The data set then ends before it and
    /// <see cref="DicomFile.PixelData"/> says where it is. False reads the whole source, pixels and what follows them.
    /// </summary>
    public bool StopBeforePixels { get; init; } = true;

    /// <summary>
    /// Values of bulk VRs (OB OD OF OL OV OW UN) longer than this many bytes stay in the source when that is a path or a stream:
    /// <see cref="DicomElement.IsDeferred"/> is true, offset and length are known. Default 1 MiB; not applied when
    /// <see cref="StopBeforePixels"/> is false. What lies in memory already is never deferred.
    /// </summary>
    public int DeferBulkOverBytes { get; init; } = 1 << 20;

    /// <summary>Longest single value that is read into memory, in bytes. Default 1 GiB.</summary>
    public int MaxValueBytes { get; init; } = 1 << 30;

    /// <summary>Most bytes that are held in memory for one source. Default 1 GiB; at most <see cref="Array.MaxLength"/>.</summary>
    public int MaxBufferBytes { get; init; } = 1 << 30;

    /// <summary>Most data elements and items, over all levels. Default 4 million.</summary>
    public int MaxElements { get; init; } = 4_000_000;

    /// <summary>Deepest nesting of sequences; the top level is 0. Default 64.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>Most bytes that a deflated data set may inflate to. Default 1 GiB.</summary>
    public int MaxInflatedBytes { get; init; } = 1 << 30;

    /// <summary>
    /// The transfer syntax of a bare data set (no preamble, no file meta information), such as one of a network message.
    /// Default null: found out from the first elements.
    /// </summary>
    public DicomTransferSyntax? AssumedTransferSyntax { get; init; }
}
