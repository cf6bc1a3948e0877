using ImageApi.Origins;

namespace ImageApi.Catalog;

/// <summary>A file of an origin: where it is.</summary>
internal readonly record struct FileLocation(string OriginName, OriginItem Item);

/// <summary>A file that was looked at, for the catalog's writer to take in.</summary>
internal sealed record IndexedFile
{
    public required FileLocation Location { get; init; }
    public required FileStamp Stamp { get; init; }
    public required OriginVersion Version { get; init; }

    /// <summary>What it holds; null when it is no instance, and <see cref="Reason"/> says why.</summary>
    public InstanceHeader? Header { get; init; }
    public string? Reason { get; init; }

    /// <summary>The location that this file's bytes were compared with, and what came of it.</summary>
    public FileComparison? Comparison { get; init; }
}

/// <summary>The outcome of comparing a file with a location of the same SOP Instance UID.</summary>
internal sealed record FileComparison(FileLocation Other, OriginVersion OtherVersion, ComparisonResult Result);

internal enum ComparisonResult
{
    Same,
    Different,

    /// <summary>The other location is no longer what the catalog says.</summary>
    OtherGone,
}

/// <summary>What became of a file.</summary>
internal enum IndexResult
{
    /// <summary>A new instance, or a new version of the one that this file held.</summary>
    Indexed,

    /// <summary>Another location of an instance with the same bytes.</summary>
    Duplicate,

    /// <summary>Another instance's UID with other bytes: not served.</summary>
    Conflict,

    /// <summary>No instance.</summary>
    Unparsed,

    /// <summary>The instance is known from <see cref="IndexOutcome.Other"/>: compare, and submit the file again with the comparison.</summary>
    NeedsComparison,
}

internal readonly record struct IndexOutcome(IndexResult Result, FileLocation Other = default, OriginVersion OtherVersion = default);
