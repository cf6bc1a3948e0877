using Platform.Dicom;

namespace ImageApi.Origins;

/// <summary>An origin of DICOM files that the catalog indexes: a file's stamp tells whether it is the one that was read.</summary>
internal interface IIndexedOrigin : IDicomOrigin
{
    /// <summary>Headers that may be read at once while the origin is indexed; null: as the catalog's options say.</summary>
    int? IndexReaders { get; }

    /// <summary>The stamp of an item as it is now; null when there is none, or one that is not ours to serve.</summary>
    /// <exception cref="OriginException">The origin could not be asked.</exception>
    ValueTask<FileStamp?> GetStampAsync(OriginItem item, CancellationToken cancellationToken);

    /// <summary>Reads an item's header. The caller disposes the file.</summary>
    /// <exception cref="OriginException">Absent, Refused, or the origin failed.</exception>
    ValueTask<ItemHeader> ReadHeaderAsync(OriginItem item, CancellationToken cancellationToken);
}

/// <summary>An indexed origin over a network that can be listed: it is compared with the catalog by its listing, and never watched.</summary>
internal interface IListedOrigin : IIndexedOrigin
{
    /// <summary>How often its listing is compared with the catalog; null: as the catalog's options say.</summary>
    TimeSpan? ListInterval { get; }

    /// <summary>Every item with its stamp, in any order. An exception ends the listing: what came before it is then no reason to forget what did not come.</summary>
    /// <exception cref="OriginException">The origin could not be asked.</exception>
    IAsyncEnumerable<ListedItem> ListItemsAsync(CancellationToken cancellationToken);
}

/// <summary>A file that was looked at. <paramref name="File"/> is null when it is no DICOM, or broken.</summary>
internal readonly record struct ItemHeader(DicomFile? File, FileStamp Stamp, OriginVersion Version);

/// <summary>An item of a listing.</summary>
internal readonly record struct ListedItem(OriginItem Item, FileStamp Stamp);
