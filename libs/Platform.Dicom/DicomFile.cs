using System.Buffers;
using Platform.Dicom.Parsing;

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
    private readonly ElementTable? _table;
    private readonly DicomPixelData? _pixelData;
    private DicomDataset? _fileMeta;
    private readonly int _datasetFirst, _datasetPosition;
    private readonly ReadOnlyMemory<byte> _deflated;
    private readonly bool _hasPreamble;

    /// <summary>A file made in memory, or one that was read and is to be written in another transfer syntax.</summary>
    /// <param name="fileMeta">File meta information to keep; the required rest is filled in from the data set when written.</param>
    public DicomFile(DicomDataset dataset, DicomTransferSyntax transferSyntax, DicomDataset? fileMeta = null)
    {
        Dataset = dataset;
        TransferSyntax = transferSyntax;
        _fileMeta = fileMeta ?? [];
    }

    internal DicomFile(ElementParser parser, ElementTable table, long? sourceLength, bool isWhole, ReadOnlyMemory<byte> deflated)
    {
        IsWhole = isWhole;
        _deflated = deflated;
        _hasPreamble = parser.HasPreamble;
        _table = table;
        _datasetFirst = parser.DatasetFirst;
        _pixelData = parser.PixelData;
        _datasetPosition = parser.DatasetPosition;
        TransferSyntax = parser.TransferSyntax;
        SourceLength = sourceLength;
        Dataset = new DicomDataset(table, parser.DatasetFirst, table.Count, null);
    }

    /// <summary>Group 0002; empty for a bare data set.</summary>
    public DicomDataset FileMeta => _fileMeta ??= new DicomDataset(_table!, 0, _datasetFirst, null);

    public DicomDataset Dataset { get; }

    /// <summary>As the file meta information says, or as found out where it is missing or wrong.</summary>
    public DicomTransferSyntax TransferSyntax { get; }

    /// <summary>Where the pixel data is, whether it was read or stopped at; null where there is none at the top level.</summary>
    public DicomPixelData? PixelData => _pixelData;

    /// <summary>Length of the source in bytes; null where it is not known, as of a deflated data set that was not read to its end.</summary>
    public long? SourceLength { get; }

    /// <summary>The 128 bytes before "DICM", free for an application's use; zeros where there were none.</summary>
    public ReadOnlyMemory<byte> Preamble => _hasPreamble ? _table!.Bytes[..128] : new byte[128];

    internal ElementTable? Table => _table;

    /// <summary>Whether the source was read to its end, with nothing left out.</summary>
    internal bool IsWhole { get; }

    /// <summary>The source's bytes, of a file that was read whole.</summary>
    internal ReadOnlyMemory<byte>[] OriginalBytes => TransferSyntax.IsDeflated && !_deflated.IsEmpty ? [_table!.Bytes[.._datasetPosition], _deflated] : [_table!.Bytes];

    /// <summary>
    /// Reads a file. Throws <see cref="DicomParseException"/> for what is broken or exceeds a limit, and the exceptions of opening and reading files.
    /// </summary>
    public static DicomFile Read(string path, DicomReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var loader = new FileLoader(new FileCursor(path), options ?? DicomReadOptions.Default);
        return loader.Load(cancellationToken);
    }

    /// <summary>Reads from memory, which must stay as it is until the file is disposed: values are views of it.</summary>
    public static DicomFile Read(ReadOnlyMemory<byte> data, DicomReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var loader = new FileLoader(data, options ?? DicomReadOptions.Default);
        return loader.Load(cancellationToken);
    }

    /// <summary>Reads from a sequence of buffers. One segment is read in place and must stay as it is; more are copied as far as they are read.</summary>
    public static DicomFile Read(ReadOnlySequence<byte> data, DicomReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (data.IsSingleSegment) return Read(data.First, options, cancellationToken);
        using var loader = new FileLoader(new SequenceCursor(data), options ?? DicomReadOptions.Default);
        return loader.Load(cancellationToken);
    }

    /// <summary>
    /// Reads from a stream's position on; offsets count from there. Where it stands afterwards is not defined: reading runs a little ahead.
    /// The stream stays open.
    /// </summary>
    public static async ValueTask<DicomFile> ReadAsync(Stream stream, DicomReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var loader = new FileLoader(new StreamCursor(stream), options ?? DicomReadOptions.Default);
        return await loader.LoadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives pooled buffers back. Data sets, elements and memory taken from this file are invalid from now on.</summary>
    public void Dispose() => _table?.Dispose();
}
