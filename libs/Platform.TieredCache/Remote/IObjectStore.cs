using System.Buffers;

namespace Platform.TieredCache;

/// <summary>
/// A store of objects that nodes share: what the last tier needs of S3, Azure Blob or the like. A call that fails throws whatever it likes and is over soon
/// after it was cancelled; deadlines, counting and giving up are the tier's business. Thread-safe.
/// </summary>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>Opens an object, or null when there is none. The caller disposes it. Names are ASCII: letters, digits, <c>-</c> and <c>/</c>.</summary>
    ValueTask<StoredObject?> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>When an object was last put, by the store's clock, or null when there is none.</summary>
    ValueTask<DateTimeOffset?> GetModifiedAtAsync(string name, CancellationToken cancellationToken);

    /// <summary>Puts an object in place of what has that name, whole or not at all.</summary>
    ValueTask PutAsync(string name, ReadOnlySequence<byte> content, CancellationToken cancellationToken);

    /// <summary>Removes an object; no matter if there is none.</summary>
    ValueTask DeleteAsync(string name, CancellationToken cancellationToken);
}

/// <summary>An object that is being read. One owner, who disposes it.</summary>
/// <param name="Content">The bytes; read asynchronously.</param>
/// <param name="Length">How many there are.</param>
/// <param name="ModifiedAt">When it was put, by the store's clock.</param>
/// <param name="Owner">Disposed with it; null where disposing <paramref name="Content"/> is enough.</param>
public sealed record StoredObject(Stream Content, long Length, DateTimeOffset ModifiedAt, IDisposable? Owner = null) : IAsyncDisposable
{
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Content.DisposeAsync().ConfigureAwait(false);
        Owner?.Dispose();
    }
}
