using System.Buffers;

namespace Platform.Dicom;

/// <summary>Where the pixel data of a file is.</summary>
/// <param name="Tag">(7FE0,0010), or (7FE0,0008) and (7FE0,0009) for float and double pixels.</param>
/// <param name="Vr">The VR as read.</param>
/// <param name="Offset">Of the value in the source (in the inflated stream for a deflated data set), in bytes.</param>
/// <param name="Length">Bytes of the value as its header says; null where undefined, that is where it is encapsulated (PS3.5 A.4).</param>
public readonly record struct DicomPixelData(DicomTag Tag, DicomVr Vr, long Offset, long? Length);

/// <summary>
/// A DICOM file (PS3.10) or a bare data set, read or made in memory. One read from a source owns pooled buffers until it is disposed:
/// what it gave out is then invalid.
/// </summary>
public sealed class DicomFile : IDisposable
{
    /// <summary>A file made in memory: file meta information is filled in from the data set when written.</summary>
    public DicomFile(DicomDataset dataset, DicomTransferSyntax transferSyntax)
    {
        Dataset = dataset;
        TransferSyntax = transferSyntax;
        FileMeta = [];
    }

    /// <summary>Group 0002; empty for a bare data set.</summary>
    public DicomDataset FileMeta { get; }

    public DicomDataset Dataset { get; }

    /// <summary>As the file meta information says, or as found out where it does not.</summary>
    public DicomTransferSyntax TransferSyntax { get; }

    /// <summary>Where the pixel data is, whether it was read or stopped at; null where there is none at the top level.</summary>
    public DicomPixelData? PixelData { get; }

    /// <summary>Length of the source in bytes; null where it is not known. For a deflated data set of what was inflated.</summary>
    public long? SourceLength { get; }

    /// <summary>
    /// Reads a file. Throws <see cref="DicomParseException"/> for what is broken or exceeds a limit, and the exceptions of opening and reading files.
    /// </summary>
    public static DicomFile Read(string path, DicomReadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Reads from memory, which must stay as it is until the file is disposed: values are views of it.</summary>
    public static DicomFile Read(ReadOnlyMemory<byte> data, DicomReadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Reads from a sequence of buffers. One segment is read in place and must stay as it is; more are copied as far as they are read.</summary>
    public static DicomFile Read(ReadOnlySequence<byte> data, DicomReadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Reads from a stream's position on; offsets count from there. No more is read than needed but for a buffer's rest.</summary>
    public static ValueTask<DicomFile> ReadAsync(Stream stream, DicomReadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void Dispose() { }
}
