namespace Platform.Tests.Shared.Faults;

/// <summary>
/// The faults of one direction through a <see cref="FaultProxy"/>. Offsets count the bytes of one connection in this direction, so on a connection that is
/// used for several requests they count on. Settable from any thread.
/// </summary>
public sealed class FaultDirection
{
    private readonly Lock _lock = new();
    private long _bytes;
    private double _sendableAt;

    /// <summary>Bytes passed on since the start, over all connections.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Latency: bytes arrive this much later, as on a longer line. Does not limit the rate.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The rate that all connections share, in bytes per second; 0 for as fast as they go.</summary>
    public long BytesPerSecond { get; set; }

    /// <summary>Nothing is read or passed on while set; connections stay open. What was sent arrives when it is cleared.</summary>
    public bool IsStalled { get; set; }

    /// <summary>Both sides are reset when this many bytes have passed.</summary>
    public long? ResetAfterBytes { get; set; }

    /// <summary>Both sides are closed in good order when this many bytes have passed: a body cut short.</summary>
    public long? CloseAfterBytes { get; set; }

    /// <summary>The byte at this offset gets one bit flipped.</summary>
    public long? FlipAt { get; set; }

    /// <summary>One bit of every so many-th byte is flipped, the first of them at this offset; 0 for none.</summary>
    public int FlipEveryBytes { get; set; }

    /// <summary>The byte at this offset is sent twice: all that follows is one place too late.</summary>
    public long? DuplicateAt { get; set; }

    internal void Heal()
    {
        (Delay, BytesPerSecond, IsStalled) = (TimeSpan.Zero, 0, false);
        (ResetAfterBytes, CloseAfterBytes, FlipAt, FlipEveryBytes, DuplicateAt) = (null, null, null, 0, null);
    }

    internal void Passed(int count) => Interlocked.Add(ref _bytes, count);

    /// <summary>Takes <paramref name="count"/> bytes of the shared rate and says how long to wait before they may go.</summary>
    internal TimeSpan Reserve(int count, TimeProvider time)
    {
        var rate = BytesPerSecond;
        if (rate <= 0) return TimeSpan.Zero;
        lock (_lock)
        {
            var now = time.GetTimestamp() / (double)time.TimestampFrequency;
            _sendableAt = Math.Max(_sendableAt, now) + ((double)count / rate);
            return TimeSpan.FromSeconds(_sendableAt - now);
        }
    }

    /// <summary>Spoils the bytes that stand at <paramref name="offset"/> of their connection; returns how many there are then.</summary>
    internal int Spoil(byte[] bytes, int count, long offset)
    {
        if (FlipAt - offset is { } flip && flip >= 0 && flip < count) bytes[flip] ^= 0x10;
        if (FlipEveryBytes is var every and > 0)
        {
            for (var i = (every - (offset % every)) % every; i < count; i += every)
                if (i + offset > 0) bytes[i] ^= 0x10;
        }
        if (DuplicateAt - offset is not { } twice || twice < 0 || twice >= count) return count;
        bytes.AsSpan((int)twice, count - (int)twice).CopyTo(bytes.AsSpan((int)twice + 1));   // the buffer has one byte to spare
        return count + 1;
    }
}
