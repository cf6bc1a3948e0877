using System.Numerics;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// Writes a value into blocks of the memory tier, few and with little slack; gives each byte to the digest once. A relayed value that grows beyond
/// what memory keeps goes on into a file of the disk tier, which its readers follow, or where there is none through a window.
/// </summary>
internal sealed class BodyWriter(Flight flight, Body body, MemoryTier memory, DiskTier? disk, EntryPolicy policy, long maxMemoryBytes, TimeProvider time) : EntryWriter
{
    private const int FirstBlockBytes = 4 << 10, GrowthLimitBytes = 256 << 10, WindowBytes = 256 << 10, MaxUnflushedBytes = 1 << 20;

    private const long GrowthCheckBytes = 1 << 20;

    private IncrementalHash? _hash = policy.NeedsDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private long _written;
    private bool _closed;
    private bool _isStarved;
    private Memory<byte> _spillMemory;
    private long _mayGrowTo;

    public override long WrittenBytes => _written;

    /// <summary>Where the bytes come from; set before they are written.</summary>
    public CacheTier Source { get; set; } = CacheTier.Origin;

    public bool IsRelayed => policy.IsRelayed;

    /// <summary>The file that the value goes into while it arrives; null where it lies in memory.</summary>
    public ValueFileWriter? Spill { get; private set; }

    /// <summary>
    /// Whether a complete value of so many bytes is read into memory: derived ones always, whoever asked for them counts on their bytes.
    /// </summary>
    public bool ReadsIntoMemory(long bytes) => !policy.IsRelayed || FitsMemory(bytes);

    /// <summary>Whether memory may keep a value of so many bytes.</summary>
    public bool FitsMemory(long bytes) => policy.Memory && bytes <= maxMemoryBytes;

    /// <summary>The whole value lies in a file and is read from there.</summary>
    public void UseFile(EntryHeader header, ValueFile file)
    {
        ThrowIfClosed();
        DropHash();
        body.Start(header);
        body.UseFile(file);
        _written = header.Length!.Value;
    }

    /// <summary>Begins again from nothing, after a tier failed half way; nobody has seen anything yet.</summary>
    public void Rewind()
    {
        ThrowIfClosed();
        body.Rewind();
        DropHash();
        if (policy.NeedsDigest) _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _written = 0;
        _isStarved = false;
    }

    public override void Start(EntryHeader header)
    {
        ThrowIfClosed();
        if (body.HeaderOrNull is not null) throw new InvalidOperationException("A value is started once.");
        header.Validate();
        if (header.Length > policy.MaxDerivedBytes && !policy.IsRelayed) ThrowTooLarge();
        body.Start(header.MadeAt == default ? header with { MadeAt = time.GetUtcNow() } : header);
        // What a tier has verified against its digest needs no second one.
        if (Source != CacheTier.Origin && !header.BodyDigest.IsNone) DropHash();
        if (policy.IsRelayed && header.Length > maxMemoryBytes) StreamThrough();
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (Spill is not null && TryGetSpillMemory(sizeHint)) return _spillMemory;
        var last = Room(sizeHint);
        return last.Block.Memory[last.Filled..];
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        if (Spill is not null && TryGetSpillMemory(sizeHint)) return _spillMemory.Span;
        var last = Room(sizeHint);
        return last.Block.GetSpan()[last.Filled..];
    }

    public override void Advance(int count)
    {
        ThrowIfClosed();
        if (Spill is { } spill)
        {
            if (count < 0 || count > _spillMemory.Length) throw new ArgumentOutOfRangeException(nameof(count));
            _hash?.AppendData(_spillMemory.Span[..count]);
            var before = spill.WrittenBytes;
            try
            {
                spill.Advance(count);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                GoOnWithoutFile(_spillMemory.Span[(int)(spill.WrittenBytes - before)..count]);
            }

            _spillMemory = default;
        }
        else
        {
            var last = body.Last;
            if (count < 0 || count > (last is null ? 0 : last.Block.Size - last.Filled)) throw new ArgumentOutOfRangeException(nameof(count));
            if (count == 0) return;
            _hash?.AppendData(last!.Block.GetSpan().Slice(last.Filled, count));
            last!.Filled += count;
        }

        _written += count;
        if (body.Header.Length is { } length && _written > length) throw new InvalidDataException("More bytes were written than the header promised.");
        if (!policy.IsRelayed && _written > policy.MaxDerivedBytes) ThrowTooLarge();
    }

    public override async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        if (!policy.IsRelayed || _written == 0) return;
        if (!body.IsWindowed && Spill is null && (_isStarved || _written > maxMemoryBytes)) StreamThrough();
        if (Spill is not null && TryWriteSpill())
        {
            // Whole chunks only, and nothing that was shown before is taken back.
            body.Publish(Math.Max(body.PublishedBytes, Spill.File.StoredBytes));
            body.TrimToFile();
            flight.SetReadable();
            return;
        }

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
        if (Spill is not null)
        {
            if (TryFinishSpill(header with { Length = _written })) header = Spill!.Header.Entry;
        }
        else if (body.PublishedBytes == 0 && body.File is null)
        {
            TrimLast();
        }

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
        Spill?.Dispose();
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

    /// <summary>Moves what lies in a half-empty last block into blocks that fit; where those are not to be had it stays.</summary>
    private void TrimLast()
    {
        if (body.Last is not { Block: { IsOverflow: false } old } last || old.Size <= BuddyArena.MinBlockBytes) return;
        if (FittingBlock(Math.Max(1, last.Filled)) >= old.Size) return;
        var blocks = new List<Block>();
        for (var left = Math.Max(1, last.Filled); left > 0; left -= blocks[^1].Size)
        {
            var size = FittingBlock(left);
            if (memory.Pool.TryRent(size, size) is { } block)
            {
                blocks.Add(block);
                continue;
            }

            foreach (var rented in blocks) rented.Release();
            return;
        }

        var bytes = old.GetSpan()[..last.Filled];
        var previous = body.FindBeforeLast();
        for (var i = 0; i < blocks.Count; i++)
        {
            var size = Math.Min(bytes.Length, blocks[i].Size);
            bytes[..size].CopyTo(blocks[i].GetSpan());
            var segment = new Segment(blocks[i], last.RunningIndex + last.Filled - bytes.Length) { Filled = size };
            if (i == 0) body.ReplaceLast(previous, segment);
            else body.Append(segment);
            bytes = bytes[size..];
        }

        old.Release();
    }

    /// <summary>The value is too large to keep in memory: to disk, else through a window.</summary>
    private void StreamThrough()
    {
        if (policy.Disk && disk?.TryBeginSpill(flight, body.Header) is { } spill)
        {
            Spill = spill;
            body.UseFile(spill.File);
            if (TryWriteAll()) return;
        }

        body.MakeWindowed();
        flight.KeepNothing();

        bool TryWriteAll()
        {
            try
            {
                for (var segment = body.First; segment is not null; segment = segment.Next) spill.Write(segment.Block.GetSpan()[..segment.Filled]);
                return true;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // All of it still lies in memory, as before.
                EndSpill();
                return false;
            }
        }
    }

    private bool TryGetSpillMemory(int sizeHint)
    {
        ThrowIfClosed();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        try
        {
            _spillMemory = Spill!.GetMemory(sizeHint);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            GoOnWithoutFile();
            return false;
        }
    }

    private bool TryWriteSpill()
    {
        try
        {
            Spill!.WriteStaged();
            if (_written < _mayGrowTo) return true;
            _mayGrowTo = _written + GrowthCheckBytes;
            if (disk!.MayGrow(flight.Key.Kind, _mayGrowTo)) return true;
            GoOnWithoutFile();
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            GoOnWithoutFile();
            return false;
        }
    }

    private bool TryFinishSpill(EntryHeader header)
    {
        try
        {
            Spill!.Finish(header);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            GoOnWithoutFile();
            body.Publish(_written);
            return false;
        }
    }

    /// <summary>The disk has failed or is full: readers find the beginning in the file, what it lacks in memory, and the rest through a window.</summary>
    /// <param name="taken">What was given to the writer last and did not fit any more.</param>
    private void GoOnWithoutFile(ReadOnlySpan<byte> taken = default)
    {
        var spill = Spill!;
        var (fileEnd, memoryEnd) = (spill.File.StoredBytes, body.Last?.End ?? 0);
        var rest = new System.Buffers.ArrayBufferWriter<byte>();
        spill.CopyUnwritten(rest);
        System.Buffers.BuffersExtensions.Write(rest, taken);
        EndSpill();
        body.MakeWindowed();
        flight.KeepNothing();
        var bytes = rest.WrittenSpan;
        if (memoryEnd > fileEnd) bytes = bytes[(int)(memoryEnd - fileEnd)..];
        if (bytes.Length == 0) return;
        var block = memory.Pool.TryRentOverflow(bytes.Length, force: true)!;
        bytes.CopyTo(block.GetSpan());
        body.Append(new Segment(block, Math.Max(fileEnd, memoryEnd)) { Filled = bytes.Length });
    }

    private void EndSpill()
    {
        disk!.WriteFailed(flight.Key.Kind);
        Spill!.Dispose();
        Spill = null;
    }

    private void DropHash()
    {
        _hash?.Dispose();
        _hash = null;
    }

    private void ThrowIfClosed()
    {
        if (_closed) throw new InvalidOperationException("A value was written after its maker had returned.");
    }

    private void ThrowTooLarge() => throw new EntryTooLargeException(policy.MaxDerivedBytes);
}
