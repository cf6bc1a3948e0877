using System.Buffers;

namespace Platform.TieredCache;

/// <summary>
/// A block of memory lent by the <see cref="SegmentPool"/>, as <see cref="Memory{T}"/>. One object per lending, never
/// reused: memory obtained from it throws once the block has gone back, instead of showing the next owner's bytes.
/// </summary>
internal sealed unsafe class Block(SegmentPool pool, byte* address, int size, bool isOverflow) : MemoryManager<byte>
{
    private byte* _address = address;

    public int Size { get; } = size;

    public bool IsOverflow { get; } = isOverflow;

    public override Span<byte> GetSpan()
    {
        var address = _address;
        if (address is null) ThrowReleased();
        return new Span<byte>(address, Size);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        if (_address is null) ThrowReleased();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)Size);
        return new MemoryHandle(_address + elementIndex);
    }

    public override void Unpin() { }

    /// <summary>Gives the block back; a second time does nothing.</summary>
    public void Release()
    {
        byte* address;
        lock (this)
        {
            address = _address;
            _address = null;
        }

        if (address is not null) pool.Return(address, Size, IsOverflow);
    }

    protected override void Dispose(bool disposing) => Release();

    private static void ThrowReleased() => throw new ObjectDisposedException(nameof(CacheLease), "The memory of a cached value was used after its lease had ended.");
}

/// <summary>A piece of a value: a block, how much of it is filled, and the next piece.</summary>
internal sealed class Segment : ReadOnlySequenceSegment<byte>
{
    public Segment(Block block, long runningIndex)
    {
        Block = block;
        RunningIndex = runningIndex;
    }

    public Block Block { get; }

    /// <summary>Bytes written into the block. Final once there is a next piece or the value is complete.</summary>
    public int Filled { get; set; }

    public long End => RunningIndex + Filled;

    public new Segment? Next => (Segment?)base.Next;

    /// <summary>Fixes what is readable and links the next piece, in that order: a reader that sees the link sees a final length.</summary>
    public void Seal(Segment? next)
    {
        Memory = Block.Memory[..Filled];
        Thread.MemoryBarrier();
        base.Next = next;
    }
}
