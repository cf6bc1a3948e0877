using System.Buffers;

namespace Platform.TieredCache;

/// <summary>
/// Where a maker writes a value: straight into the segments that readers are lent. The maker calls
/// <see cref="Start"/> once, writes, and returns; if it throws, nothing is kept. It must not touch the writer or
/// memory it got from it after it returned. Not thread-safe.
/// </summary>
public abstract class EntryWriter : IBufferWriter<byte>
{
    /// <summary>Says what the value is. Once, before the first byte.</summary>
    public abstract void Start(EntryHeader header);

    /// <inheritdoc/>
    public abstract void Advance(int count);

    /// <inheritdoc/>
    public abstract Memory<byte> GetMemory(int sizeHint = 0);

    /// <inheritdoc/>
    public abstract Span<byte> GetSpan(int sizeHint = 0);

    /// <summary>
    /// Lets readers of a relayed value have what was written so far. Waits only where the value is too large to keep
    /// and its readers are behind. A derived value is never shown before its maker has returned.
    /// </summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Bytes written so far.</summary>
    public abstract long WrittenBytes { get; }

    /// <summary>The callers get the value; no tier keeps it.</summary>
    public abstract void KeepNothing();
}
