using Microsoft.Extensions.Options;

namespace ImageApi.Frames;

/// <summary>
/// How many frames are decoded and encoded at once: as many as there are processors, so that many who ask keep all of them busy and none waits behind a
/// crowd of half-done work; large frames one at a time, because of the memory they take.
/// </summary>
internal sealed class CodecSlots : IDisposable
{
    private const long LargeFrameBytes = 8 << 20;

    private readonly SemaphoreSlim _slots, _large = new(1);
    private int _busy;

    public CodecSlots(IOptions<FramesOptions> options)
    {
        Count = options.Value.Concurrency > 0 ? options.Value.Concurrency : Environment.ProcessorCount;
        _slots = new SemaphoreSlim(Count);
    }

    public int Count { get; }

    /// <summary>Nobody works, and nobody waits to.</summary>
    public bool IsIdle => Volatile.Read(ref _busy) == 0;

    /// <summary>Waits for a slot for a frame of so many decoded bytes, and leaves the caller's thread. What it returns is disposed once.</summary>
    public async ValueTask<Slot> EnterAsync(long frameBytes, CancellationToken cancellationToken)
    {
        var isLarge = frameBytes > LargeFrameBytes;
        Interlocked.Increment(ref _busy);
        try
        {
            if (isLarge) await _large.WaitAsync(cancellationToken);
            try
            {
                await _slots.WaitAsync(cancellationToken);
            }
            catch
            {
                if (isLarge) _large.Release();
                throw;
            }
        }
        catch
        {
            Interlocked.Decrement(ref _busy);
            throw;
        }

        // A maker of a cached value runs on the thread of who asked first: work of milliseconds there would keep it from hearing that its client has gone.
        await Task.Yield();
        return new Slot(this, isLarge);
    }

    public void Dispose()
    {
        _slots.Dispose();
        _large.Dispose();
    }

    public readonly struct Slot(CodecSlots slots, bool isLarge) : IDisposable
    {
        public void Dispose()
        {
            slots._slots.Release();
            if (isLarge) slots._large.Release();
            Interlocked.Decrement(ref slots._busy);
        }
    }
}
