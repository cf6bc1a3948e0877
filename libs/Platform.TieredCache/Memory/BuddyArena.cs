using System.Numerics;
using System.Runtime.InteropServices;

namespace Platform.TieredCache;

/// <summary>
/// One native reservation cut into blocks of 1 KB to 1 MB, powers of two, that join again with their neighbours when
/// freed: the memory that values live in. The bookkeeping lies beside it in arrays, so that a stray write into a
/// released block cannot lead the allocator astray. Not thread-safe; the pool locks.
/// </summary>
internal sealed unsafe class BuddyArena : IDisposable
{
    public const int MinBlockBytes = 1 << 10, MaxBlockBytes = 1 << 20;
    private const int MaxOrder = 10;
    private const byte Free = 0x80, Inner = 0x40;

    private readonly int _units;
    private readonly byte[] _state;              // per 1 KB unit: order of the block that begins here, | Free when it is; Inner elsewhere
    private readonly int[] _next, _previous;     // free lists, by unit
    private readonly int[] _heads = new int[MaxOrder + 1];
    private byte* _memory;

    public BuddyArena(long capacityBytes)
    {
        CapacityBytes = capacityBytes / MaxBlockBytes * MaxBlockBytes;
        ArgumentOutOfRangeException.ThrowIfLessThan(CapacityBytes, MaxBlockBytes, nameof(capacityBytes));
        _units = checked((int)(CapacityBytes / MinBlockBytes));
        _state = new byte[_units];
        _next = new int[_units];
        _previous = new int[_units];
        Array.Fill(_state, Inner);
        Array.Fill(_heads, -1);
        // Untouched pages cost nothing: resident memory grows with use.
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)CapacityBytes, 4096);
        for (var unit = _units - (1 << MaxOrder); unit >= 0; unit -= 1 << MaxOrder) Push(unit, MaxOrder);
    }

    public long CapacityBytes { get; }

    /// <summary>Bytes in blocks that are handed out.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes of managed memory that the bookkeeping takes.</summary>
    public long BookkeepingBytes => 9L * _units;

    /// <summary>A block of at least <paramref name="bytes"/> rounded up to a power of two, or null when none is left whole.</summary>
    public byte* TryAllocate(int bytes, out int blockBytes)
    {
        var order = OrderOf(bytes);
        blockBytes = MinBlockBytes << order;
        var from = order;
        while (from <= MaxOrder && _heads[from] < 0) from++;
        if (from > MaxOrder) return null;
        var unit = _heads[from];
        Unlink(unit, from);
        while (from > order)
        {
            from--;
            Push(unit + (1 << from), from);
        }

        _state[unit] = (byte)order;
        UsedBytes += blockBytes;
        return _memory + (long)unit * MinBlockBytes;
    }

    /// <summary>Takes a block back and joins it with its free neighbours.</summary>
    /// <exception cref="InvalidOperationException">There is no such block, or it is free already.</exception>
    public void Release(byte* block, int blockBytes)
    {
        var offset = block - _memory;
        var unit = (int)(offset / MinBlockBytes);
        var order = OrderOf(blockBytes);
        if (_memory is null || offset < 0 || offset % MinBlockBytes != 0 || unit >= _units || _state[unit] != order)
            throw new InvalidOperationException("A block was released that is not lent.");
        UsedBytes -= blockBytes;
        _state[unit] = Inner;
        while (order < MaxOrder)
        {
            var buddy = unit ^ (1 << order);
            if (_state[buddy] != (Free | order)) break;
            Unlink(buddy, order);
            unit = Math.Min(unit, buddy);
            order++;
        }

        Push(unit, order);
    }

    /// <summary>The size of the largest block that could be had now; 0 when full.</summary>
    public int LargestFreeBytes
    {
        get
        {
            for (var order = MaxOrder; order >= 0; order--)
                if (_heads[order] >= 0) return MinBlockBytes << order;
            return 0;
        }
    }

    /// <summary>Walks everything: blocks tile the arena, free ones are listed once, the sums agree.</summary>
    public void Verify()
    {
        long used = 0;
        var free = 0;
        for (var unit = 0; unit < _units;)
        {
            var order = _state[unit] & 0x3F;
            if (_state[unit] == Inner || order > MaxOrder || unit % (1 << order) != 0) throw new InvalidOperationException($"Unit {unit} begins no block.");
            for (var inner = unit + 1; inner < unit + (1 << order); inner++)
                if (_state[inner] != Inner) throw new InvalidOperationException($"Unit {inner} is claimed twice.");
            if ((_state[unit] & Free) != 0) free++;
            else used += (long)MinBlockBytes << order;
            unit += 1 << order;
        }

        var listed = 0;
        for (var order = 0; order <= MaxOrder; order++)
            for (var unit = _heads[order]; unit >= 0; unit = _next[unit], listed++)
                if (_state[unit] != (Free | order)) throw new InvalidOperationException($"Unit {unit} is listed as free and is not.");
        if (used != UsedBytes || free != listed) throw new InvalidOperationException($"The arena counts {UsedBytes} B used and {listed} free blocks; there are {used} B and {free}.");
    }

    public void Dispose()
    {
        if (_memory is null) return;
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        Array.Fill(_heads, -1);
    }

    private static int OrderOf(int bytes)
        => bytes <= MinBlockBytes ? 0 : BitOperations.Log2((uint)(bytes - 1)) + 1 - 10;

    private void Push(int unit, int order)
    {
        _state[unit] = (byte)(Free | order);
        _previous[unit] = -1;
        _next[unit] = _heads[order];
        if (_heads[order] >= 0) _previous[_heads[order]] = unit;
        _heads[order] = unit;
    }

    private void Unlink(int unit, int order)
    {
        _state[unit] = Inner;
        if (_previous[unit] >= 0) _next[_previous[unit]] = _next[unit];
        else _heads[order] = _next[unit];
        if (_next[unit] >= 0) _previous[_next[unit]] = _previous[unit];
    }
}
