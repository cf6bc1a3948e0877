using Platform.TieredCache;

namespace ImageApi.Origins;

/// <summary>
/// A place where images live. The origin is the truth: the catalog and every cache tier can be made again from it.
/// Implementations are safe for concurrent use. What fails is an <see cref="OriginException"/>; what is merely absent is null.
/// </summary>
internal interface IOrigin
{
    /// <summary>The configured name, unique in this process, of ASCII letters, digits, <c>-</c> and <c>_</c>. It is part of every content id.</summary>
    string Name { get; }

    OriginTraits Traits { get; }

    /// <summary>The version of an item as the origin has it now, or null when the item is absent.</summary>
    /// <exception cref="OriginException">The origin could not be asked.</exception>
    ValueTask<OriginVersion?> GetVersionAsync(OriginItem item, CancellationToken cancellationToken);

    /// <summary>Opens an item, or a range of it. The caller disposes what it is given.</summary>
    /// <param name="item">What to open.</param>
    /// <param name="ifMatch">When given, any other version is refused with <see cref="OriginFailure.Changed"/>: versions are never spliced.</param>
    /// <param name="range">The bytes wanted; null means all. A range that begins at or beyond the end is an <see cref="ArgumentOutOfRangeException"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OriginException"><see cref="OriginFailure.Absent"/>, <see cref="OriginFailure.Changed"/>, or the origin failed.</exception>
    Task<OriginRead> OpenAsync(OriginItem item, OriginVersion? ifMatch, ByteRange? range, CancellationToken cancellationToken);
}

/// <summary>What callers may count on.</summary>
[Flags]
internal enum OriginTraits
{
    None = 0,

    /// <summary>Instances can be stored into it.</summary>
    Writable = 1,

    /// <summary>The bytes lie on this machine: reading a range costs about as much as reading it from the disk tier.</summary>
    Local = 2,

    /// <summary>The origin tells of changes by itself.</summary>
    Watched = 4,
}

/// <summary>One item of an origin: for a folder, the path below its root with <c>/</c> between its parts.</summary>
internal readonly record struct OriginItem(string Path)
{
    public override string ToString() => Path;
}

/// <summary>A range of bytes: <paramref name="Count"/> null means up to the end.</summary>
internal readonly record struct ByteRange(long Offset, long? Count);

/// <summary>An open item or a range of one: positional reads of its bytes. One owner, who disposes it.</summary>
internal abstract class OriginRead : IAsyncDisposable
{
    /// <summary>The version that the bytes belong to.</summary>
    public abstract OriginVersion Version { get; }

    /// <summary>The whole item's length in bytes.</summary>
    public abstract long TotalLength { get; }

    /// <summary>Where the opened range begins, in bytes from the item's start.</summary>
    public abstract long Offset { get; }

    /// <summary>The opened range's length in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Reads into <paramref name="buffer"/> from <paramref name="position"/> (0 is the range's first byte); returns the bytes read, 0 at the end.</summary>
    /// <exception cref="OriginException"><see cref="OriginFailure.Changed"/> when the item turned out shorter than it was, or reading failed.</exception>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, long position, CancellationToken cancellationToken);

    /// <summary>Copies the whole range into <paramref name="to"/>, flushing as it goes, in few large reads and without a buffer between.</summary>
    /// <exception cref="OriginException"><see cref="OriginFailure.Changed"/> when the item turned out shorter than it was, or reading failed.</exception>
    public abstract ValueTask CopyToAsync(EntryWriter to, CancellationToken cancellationToken);

    /// <summary>Copies the whole range into <paramref name="to"/>, flushing as it goes (a response's body writer, usually).</summary>
    /// <exception cref="OriginException"><see cref="OriginFailure.Changed"/> when the item turned out shorter than it was, or reading failed.</exception>
    public abstract ValueTask CopyToAsync(System.IO.Pipelines.PipeWriter to, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
