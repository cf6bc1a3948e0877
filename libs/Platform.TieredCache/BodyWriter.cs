using System.Numerics;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>Writes a value into blocks of the memory tier, few and with little slack; gives each byte to the digest once.</summary>
internal sealed class BodyWriter(Flight flight, Body body, MemoryTier memory, EntryPolicy policy, TimeProvider time) : EntryWriter
{
    private const int FirstBlockBytes = 4 << 10, GrowthLimitBytes = 256 << 10, WindowBytes = 256 << 10, MaxUnflushedBytes = 1 << 20;

    private readonly IncrementalHash? _hash = policy.NeedsDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private long _written;
    private bool _closed;
    private bool _isStarved;

    public override long WrittenBytes => _written;

    /// <summary>Where the bytes come from; set before they are written.</summary>
    public CacheTier Source { get; set; } = CacheTier.Origin;

    public override void Start(EntryHeader header)
    {
        ThrowIfClosed();
        if (body.HeaderOrNull is not null) throw new InvalidOperationException("A value is started once.");
        header.Validate();
        if (header.Length > policy.MaxDerivedBytes && !policy.IsRelayed) ThrowTooLarge();
        body.Start(header.MadeAt == default ? header with { MadeAt = time.GetUtcNow() } : header);
        if (policy.IsRelayed && header.Length > policy.MaxMemoryBytes) StreamThrough();
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var last = Room(sizeHint);
        return last.Block.Memory[last.Filled..];
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        var last = Room(sizeHint);
        return last.Block.GetSpan()[last.Filled..];
    }

    public override void Advance(int count)
    {
        ThrowIfClosed();
        var last = body.Last;
        if (count < 0 || count > (last is null ? 0 : last.Block.Size - last.Filled)) throw new ArgumentOutOfRangeException(nameof(count));
        if (count == 0) return;
        _hash?.AppendData(last!.Block.GetSpan().Slice(last.Filled, count));
        last!.Filled += count;
        _written += count;
        if (body.Header.Length is { } length && _written > length) throw new InvalidDataException("More bytes were written than the header promised.");
        if (!policy.IsRelayed && _written > policy.MaxDerivedBytes) ThrowTooLarge();
    }

    public override async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        if (!policy.IsRelayed || _written == 0) return;
        if (!body.IsWindowed && (_isStarved || _written > policy.MaxMemoryBytes)) StreamThrough();
        body.Publish(_written);
        flight.SetReadable();
        if (body.IsWindowed) await body.WaitForReadersAsync(WindowBytes, cancellationToken).ConfigureAwait(false);
    }

    public override void KeepNothing() => flight.KeepNothing();

    /// <summary>Ends the writing: checks the length, takes the digest, gives slack back.</summary>
    public void Complete()
    {
        _closed = true;
        var header = body.HeaderOrNull ?? throw new InvalidOperationException("The maker returned without starting a value.");
        if (header.Length is { } length && length != _written)
            throw new InvalidDataException($"The header promised {length} bytes and {_written} were written.");
        if (body.PublishedBytes == 0) TrimLast();
        if (_hash is not null)
        {
            Span<byte> digest = stackalloc byte[Digest256.Size];
            _hash.GetHashAndReset(digest);
            header = header with { BodyDigest = new Digest256(digest) };
        }

        body.Complete(header with { Length = _written });
    }

    public void Close()
    {
        _closed = true;
        _hash?.Dispose();
    }

    private Segment Room(int sizeHint)
    {
        ThrowIfClosed();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (body.HeaderOrNull is null) throw new InvalidOperationException("A value is started before it is written.");
        var least = Math.Max(1, sizeHint);
        if (body.Last is { } last && last.Block.Size - last.Filled >= least) return last;
        var block = memory.TryRent(Math.Max(least, PreferredBytes()), least);
        if (block is null)
        {
            if (!policy.IsRelayed) throw new CacheFullException();
            // Its readers drain it from the next flush on; until then a maker that flushes now and then is let beyond the bound.
            if (_written - body.PublishedBytes > MaxUnflushedBytes) throw new CacheFullException();
            _isStarved = true;
            block = memory.Pool.TryRentOverflow(Math.Max(least, 64 << 10), force: true)!;
        }

        var segment = new Segment(block, _written);
        body.Append(segment);
        return segment;
    }

    /// <summary>
    /// With a known length the largest power of two that is mostly used, so that 512 KiB are one piece and 124 KB are
    /// three; else double, from 4 KB.
    /// </summary>
    private int PreferredBytes()
    {
        if (body.IsWindowed) return 64 << 10;
        if (body.Header.Length is not { } length)
            return (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((ulong)_written), FirstBlockBytes, GrowthLimitBytes);
        var remaining = Math.Min(length - _written, BuddyArena.MaxBlockBytes);
        return remaining <= 0 ? BuddyArena.MinBlockBytes : FittingBlock((int)remaining);
    }

    private static int FittingBlock(int bytes)
    {
        var up = (int)BitOperations.RoundUpToPowerOf2((uint)bytes);
        return up - bytes <= up / 8 || up <= BuddyArena.MinBlockBytes ? up : up / 2;
    }

    /// <summary>Moves what lies in a half-empty last block into blocks that fit.</summary>
    private void TrimLast()
    {
        while (body.Last is { } last && last.Block.Size > BuddyArena.MinBlockBytes && !last.Block.IsOverflow)
        {
            var wanted = last.Filled == 0 ? BuddyArena.MinBlockBytes : FittingBlock(last.Filled);
            if (wanted >= last.Block.Size || memory.Pool.TryRent(wanted, wanted) is not { } block) return;
            var first = Math.Min(last.Filled, block.Size);
            var bytes = last.Block.GetSpan()[..last.Filled];
            bytes[..first].CopyTo(block.GetSpan());
            var segment = new Segment(block, last.RunningIndex) { Filled = first };
            body.ReplaceLast(body.FindBeforeLast(), segment);
            while (first < bytes.Length)
            {
                var rest = bytes[first..];
                if (memory.TryRent(FittingBlock(rest.Length), 1) is not { } next) throw new CacheFullException();
                var size = Math.Min(rest.Length, next.Size);
                rest[..size].CopyTo(next.GetSpan());
                body.Append(new Segment(next, segment.RunningIndex + first) { Filled = size });
                first += size;
            }

            last.Block.Release();
            return;
        }
    }

    private void StreamThrough()
    {
        body.MakeWindowed();
        flight.KeepNothing();
    }

    private void ThrowIfClosed()
    {
        if (_closed) throw new InvalidOperationException("A value was written after its maker had returned.");
    }

    private void ThrowTooLarge() => throw new EntryTooLargeException(policy.MaxDerivedBytes);
}
