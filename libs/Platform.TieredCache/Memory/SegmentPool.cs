using System.Numerics;
using System.Runtime.InteropServices;

namespace Platform.TieredCache;

/// <summary>
/// Lends the blocks that values lie in: from the arena, and while all of that is lent, from a small overflow that is
/// given back to the system at once. Thread-safe. The arena is freed when the pool is disposed and the last block is back.
/// </summary>
internal sealed unsafe class SegmentPool : IDisposable
{
    private const byte Poison = 0xDD;

    private readonly Lock _lock = new();
    private readonly BuddyArena _arena;
    private readonly long _overflowLimit;
    private readonly bool _poison;
    private long _overflowBytes;
    private int _lent;
    private bool _disposed;

    public SegmentPool(MemoryTierOptions options)
    {
        _arena = new BuddyArena(options.CapacityBytes);
        _overflowLimit = options.OverflowBytes;
        _poison = options.PoisonReleasedMemory;
    }

    public long CapacityBytes => _arena.CapacityBytes;

    public long BookkeepingBytes => _arena.BookkeepingBytes;

    /// <summary>Bytes of the arena that are lent.</summary>
    public long UsedBytes
    {
        get { lock (_lock) return _arena.UsedBytes; }
    }

    /// <summary>Bytes lent beyond the arena.</summary>
    public long OverflowBytes => Volatile.Read(ref _overflowBytes);

    /// <summary>Blocks that are lent.</summary>
    public int LentBlocks => Volatile.Read(ref _lent);

    /// <summary>
    /// A block from the arena of <paramref name="preferred"/> bytes, or of half of it, and so on down to
    /// <paramref name="least"/>; null when there is none.
    /// </summary>
    public Block? TryRent(int preferred, int least)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SegmentPool));
            preferred = Math.Min(preferred, BuddyArena.MaxBlockBytes);
            if (least > preferred) return null;
            var largest = _arena.LargestFreeBytes;
            if (largest < least) return null;
            var address = _arena.TryAllocate(Math.Min(preferred, largest), out var size);
            if (address is null) return null;
            _lent++;
            return new Block(this, address, size, isOverflow: false);
        }
    }

    /// <summary>A block beyond the arena; null when that would pass the limit, unless <paramref name="force"/>.</summary>
    public Block? TryRentOverflow(int bytes, bool force)
    {
        bytes = (int)Math.Min(Array.MaxLength, Math.Max(BuddyArena.MinBlockBytes, (long)BitOperations.RoundUpToPowerOf2((uint)bytes)));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SegmentPool));
            if (!force && _overflowBytes + bytes > _overflowLimit) return null;
            var address = (byte*)NativeMemory.Alloc((nuint)bytes);
            _overflowBytes += bytes;
            _lent++;
            return new Block(this, address, bytes, isOverflow: true);
        }
    }

    public void Return(byte* address, int size, bool isOverflow)
    {
        if (_poison) new Span<byte>(address, size).Fill(Poison);
        lock (_lock)
        {
            if (isOverflow)
            {
                _overflowBytes -= size;
                NativeMemory.Free(address);
            }
            else
            {
                _arena.Release(address, size);
            }

            if (--_lent == 0 && _disposed) _arena.Dispose();
        }
    }

    /// <summary>Checks the arena's books.</summary>
    public void Verify()
    {
        lock (_lock) _arena.Verify();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            if (_lent == 0) _arena.Dispose();
        }
    }
}
