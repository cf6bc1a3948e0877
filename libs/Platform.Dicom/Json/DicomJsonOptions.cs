namespace Platform.Dicom.Json;

/// <summary>A step into a nested data set: the item at <paramref name="ItemIndex"/> (from 0) of <paramref name="Sequence"/>.</summary>
public readonly record struct DicomItemStep(DicomTag Sequence, int ItemIndex);

/// <summary>A value that may be given as a URI instead of being written out.</summary>
public readonly ref struct DicomBulkValue
{
    internal DicomBulkValue(DicomTag tag, DicomVr vr, long? lengthBytes, ReadOnlySpan<DicomItemStep> path)
    {
        Tag = tag;
        Vr = vr;
        LengthBytes = lengthBytes;
        Path = path;
    }

    /// <summary>The element.</summary>
    public DicomTag Tag { get; }

    /// <summary>Its VR: OB OD OF OL OV OW or UN.</summary>
    public DicomVr Vr { get; }

    /// <summary>Bytes of the value; null for encapsulated pixel data.</summary>
    public long? LengthBytes { get; }

    /// <summary>The items that lead to the element, outermost first; empty at the top level.</summary>
    public ReadOnlySpan<DicomItemStep> Path { get; }
}

/// <summary>The URI of a value, or null to have it written out.</summary>
public delegate string? DicomBulkDataUri(in DicomBulkValue value);

/// <summary>How a data set becomes DICOM JSON.</summary>
public sealed record DicomJsonOptions
{
    /// <summary>Everything inline, nothing left out.</summary>
    public static DicomJsonOptions Default { get; } = new();

    /// <summary>
    /// Asked for the URI of every binary value longer than <see cref="MaxInlineBytes"/>, of encapsulated pixel data, and of values that
    /// are not in memory. Default null: what is in memory is written inline, the rest without a value.
    /// </summary>
    public DicomBulkDataUri? BulkDataUri { get; init; }

    /// <summary>Longest binary value that is written inline when <see cref="BulkDataUri"/> gives a URI for longer ones, in bytes. Default 1024.</summary>
    public int MaxInlineBytes { get; init; } = 1024;

    /// <summary>Which elements of the top level to write; default null: all. Items are written whole.</summary>
    public Func<DicomTag, bool>? Filter { get; init; }
}
