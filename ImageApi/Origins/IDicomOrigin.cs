using ImageApi.Catalog;
using Platform.Dicom;
using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>The UIDs that name an instance in a URL.</summary>
internal readonly record struct InstanceRef(string StudyUid, string SeriesUid, string SopUid);

/// <summary>The UIDs that name a series in a URL.</summary>
internal readonly record struct SeriesRef(string StudyUid, string SeriesUid);

/// <summary>An origin of DICOM instances.</summary>
internal interface IDicomOrigin : IOrigin
{
    /// <summary>
    /// The data sets of instances of this origin without their pixels, in the order given. Headers are read ahead in parallel, a few at a time.
    /// Each <see cref="InstanceMetadata"/> is the caller's until it asks for the next one, which disposes it.
    /// An instance that changed or vanished ends the enumeration with <see cref="OriginException"/>.
    /// </summary>
    IAsyncEnumerable<InstanceMetadata> GetMetadataAsync(IReadOnlyList<InstanceEntry> instances, CancellationToken cancellationToken);

    /// <summary>Opens an instance's file, or a range of it, held to the very file that the catalog saw. The caller disposes what it is given.</summary>
    /// <exception cref="OriginException"><see cref="OriginFailure.Absent"/>, <see cref="OriginFailure.Changed"/>, or the origin failed.</exception>
    Task<OriginRead> OpenAsync(InstanceEntry instance, ByteRange? range, CancellationToken cancellationToken);

    /// <summary>
    /// Delivers one frame: native pixels as raw explicit little endian (whatever the file's own byte order or deflation), encapsulated frames
    /// as stored with their fragments joined. Calls <see cref="EntryWriter.Start"/> first, with the media type
    /// <c>application/octet-stream;transfer-syntax=UID</c> and the exact length. Nothing is read but the frame and, where
    /// the file has no offset table, the item headers before it.
    /// </summary>
    /// <param name="instance">As the catalog has it; its version is held to.</param>
    /// <param name="frameIndex">0-based. Beyond the last is an <see cref="ArgumentOutOfRangeException"/>: check against <see cref="InstanceEntry.FrameCount"/> first.</param>
    /// <param name="to">Receives the bytes; they flow straight from the file into its buffers.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OriginException">Changed, Absent, Broken (no pixels, or a frame that lies outside of its file) or the origin failed.</exception>
    Task<FrameDescription> ReadFrameAsync(InstanceEntry instance, int frameIndex, EntryWriter to, CancellationToken cancellationToken);

    /// <summary>
    /// Delivers the value of one element (bulk data) of an instance as it is stored, in little endian byte order. <paramref name="path"/> is a tag, or
    /// tags and 0-based item indexes down to it: <c>00091010</c>, <c>54000100/0/54001010</c>. Returns false, having written nothing, when there is no such value.
    /// </summary>
    Task<bool> ReadBulkDataAsync(InstanceEntry instance, string path, EntryWriter to, CancellationToken cancellationToken);
}

/// <summary>An instance of the catalog and its data set without the pixels, valid until the enumeration moves on.</summary>
internal readonly record struct InstanceMetadata(InstanceEntry Instance, DicomFile File)
{
    /// <summary>The instance's DICOM JSON as its origin tells it, where the origin speaks DICOM JSON; its BulkDataURIs are the origin's own. Empty: <see cref="File"/> is all there is.</summary>
    public ReadOnlyMemory<byte> Json { get; init; }
}

/// <summary>How the bytes of a frame are to be read. Rows and columns in pixels.</summary>
internal readonly record struct FrameDescription(
    int Rows,
    int Columns,
    int SamplesPerPixel,
    int BitsAllocated,
    int BitsStored,
    bool IsSigned,
    bool IsPlanar,
    string Photometric,
    string TransferSyntaxUid);
