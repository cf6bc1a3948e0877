namespace Platform.TieredCache;

/// <summary>
/// A file that was fetched, whole and verified. Dispose it when done: a temporary one, which stands in where the cache's folder cannot be used, is then deleted; one of
/// the cache stays, and is not evicted within an hour of its last use.
/// </summary>
public sealed class CachedFile : IDisposable
{
    internal CachedFile(string path, long bytes, Digest256 digest, bool isFromCache, bool isTemporary, bool isStale = false)
        => (Path, Bytes, Digest, IsFromCache, IsTemporary, IsStale) = (path, bytes, digest, isFromCache, isTemporary, isStale);

    /// <summary>Where it lies. Its name ends as the address did, so that what reads by extension knows it. Read only: it is shared.</summary>
    public string Path { get; }

    /// <summary>Its size.</summary>
    public long Bytes { get; }

    /// <summary>SHA-256 of its bytes.</summary>
    public Digest256 Digest { get; }

    /// <summary>True when nothing was downloaded for it.</summary>
    public bool IsFromCache { get; }

    /// <summary>True when the folder could not be used and the file belongs to this caller alone.</summary>
    public bool IsTemporary { get; }

    /// <summary>True when the origin could not be asked and the file is what it last gave.</summary>
    public bool IsStale { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsTemporary) DiskFolder.TryDelete(Path);
    }
}

/// <summary>How far a download is.</summary>
/// <param name="BytesDone">Bytes that have arrived.</param>
/// <param name="BytesTotal">Bytes that there will be, where the origin said so.</param>
public readonly record struct FileProgress(long BytesDone, long? BytesTotal);

/// <summary>Bounds of a <see cref="FileCache"/>.</summary>
public sealed class FileCacheOptions
{
    /// <summary>The folder, which processes may share. It holds nothing else.</summary>
    public required string Path { get; set; }

    /// <summary>Bytes that the files may take; at the limit the least recently used leave, but for those used within an hour.</summary>
    public long CapacityBytes { get; set; } = 10L << 30;

    /// <summary>The most bytes of one file; a longer one fails.</summary>
    public long MaxFileBytes { get; set; } = 16L << 30;

    /// <summary>How long a file is given without asking the origin whether it has changed.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long after that it is given when the origin fails.</summary>
    public TimeSpan StaleIfError { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long the origin may send nothing.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);
}
