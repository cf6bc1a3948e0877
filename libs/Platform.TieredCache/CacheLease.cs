using System.Buffers;
using System.IO.Pipelines;

namespace Platform.TieredCache;

/// <summary>
/// A value lent to one owner until it is disposed. The bytes stay where they are: nothing is copied until the owner
/// copies it. Disposing twice is harmless, also after the pooled state behind the lease serves another caller,
/// because each lease carries the number of its lending; any other use after disposal throws
/// <see cref="ObjectDisposedException"/>. A struct, so that a hit allocates nothing.
/// </summary>
public readonly struct CacheLease : IAsyncDisposable
{
    private readonly LeaseSlot? _slot;
    private readonly long _lending;

    internal CacheLease(LeaseSlot slot, long lending)
    {
        _slot = slot;
        _lending = lending;
    }

    /// <summary>What is known of the value. Length and body digest may be missing while a relayed value arrives.</summary>
    public EntryHeader Header => Slot.Body.Header;

    /// <summary>Where it came from.</summary>
    public CacheOutcome Outcome => Slot.GetOutcome();

    /// <summary>Bytes that can be read at this moment: all of them once the value is complete.</summary>
    public long AvailableBytes => Slot.Body.PublishedBytes;

    /// <summary>
    /// The whole value in place, when it is complete and in memory. Valid until the lease is disposed: after that the
    /// memory is lent to others, and reading through the sequence throws.
    /// </summary>
    public bool TryGetBytes(out ReadOnlySequence<byte> bytes) => Slot.Body.TryGetBytes(out bytes);

    /// <summary>Waits until the value is complete.</summary>
    /// <exception cref="Exception">The maker's, when it failed.</exception>
    public ValueTask WaitUntilCompleteAsync(CancellationToken cancellationToken) => Slot.Body.WaitUntilCompleteAsync(cancellationToken);

    /// <summary>
    /// Copies <paramref name="count"/> bytes (null: to the end) from <paramref name="offset"/>, following the maker of
    /// a relayed value while it writes. Flushes; does not complete <paramref name="to"/>. Ends early, without an
    /// exception, when the reader of <paramref name="to"/> has gone.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the value.</exception>
    /// <exception cref="Exception">The maker's, when it failed underway: what was copied so far is not the value.</exception>
    public ValueTask CopyToAsync(PipeWriter to, long offset, long? count, CancellationToken cancellationToken)
    {
        var slot = Slot;
        return slot.Body.CopyToAsync(to, offset, count, slot.Reader, cancellationToken);
    }

    /// <summary>Gives the value back. Its memory is reused when the cache too has let go of it.</summary>
    public ValueTask DisposeAsync()
    {
        _slot?.TryEnd(_lending);
        return ValueTask.CompletedTask;
    }

    private LeaseSlot Slot
    {
        get
        {
            var slot = _slot;
            ObjectDisposedException.ThrowIf(slot is null || !slot.IsLending(_lending), typeof(CacheLease));
            return slot;
        }
    }
}
