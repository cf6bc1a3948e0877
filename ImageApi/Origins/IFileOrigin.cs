namespace ImageApi.Origins;

/// <summary>An origin of plain files: NIfTI volumes, pictures, documents.</summary>
internal interface IFileOrigin : IOrigin
{
    /// <summary>Whether an item may be given out as a file. Everything, unless the origin holds what was not meant to be.</summary>
    bool Serves(OriginItem item) => true;

    /// <summary>
    /// The files whose path begins with <paramref name="prefix"/>, as far as the origin can tell; empty when it cannot. In the order that it gives them.
    /// </summary>
    /// <exception cref="OriginException">The origin could not be asked.</exception>
    IAsyncEnumerable<FileItem> ListAsync(string prefix, CancellationToken cancellationToken);
}

/// <summary>A file of an origin. <paramref name="Length"/> in bytes, where the listing says so.</summary>
internal sealed record FileItem(OriginItem Item, long? Length, DateTimeOffset? LastModified);
