namespace Platform.TieredCache;

/// <summary>
/// The pooled state of a lease. It is numbered anew with every lending; a lease whose number is not the current one
/// has ended. Slots are kept per thread, with a shared overflow for leases that end on another thread.
/// </summary>
internal sealed class LeaseSlot
{
    private const int PerThread = 32;

    [ThreadStatic] private static LeaseSlot[]? t_slots;
    [ThreadStatic] private static int t_count;
    private static readonly System.Collections.Concurrent.ConcurrentQueue<LeaseSlot> Overflow = new();

    // Even: free; odd: lent. 2^62 lendings do not wrap.
    private long _lending;
    private Body? _body;
    private BodyReader? _reader;
    private CacheTier _tier;
    private CacheResult _result;
    private TimeSpan _waited;
    private TimeProvider _time = TimeProvider.System;

    /// <summary>Lends <paramref name="body"/>, of which the caller passes on one reference, and the reader it registered.</summary>
    public static CacheLease Lend(Body body, BodyReader? reader, CacheTier tier, CacheResult result, TimeSpan waited, TimeProvider time)
    {
        LeaseSlot? slot;
        if (t_count > 0)
        {
            slot = t_slots![--t_count];
        }
        else if (!Overflow.TryDequeue(out slot))
        {
            slot = new LeaseSlot();
        }

        slot._body = body;
        slot._reader = reader;
        slot._tier = tier;
        slot._result = result;
        slot._waited = waited;
        slot._time = time;
        var lending = slot._lending + 1;
        Volatile.Write(ref slot._lending, lending);
        return new CacheLease(slot, lending);
    }

    public Body Body => _body ?? throw new ObjectDisposedException(nameof(CacheLease));

    public BodyReader? Reader => _reader;

    public bool IsLending(long lending) => Volatile.Read(ref _lending) == lending;

    public CacheOutcome GetOutcome() => new(_tier, _result, _time.GetUtcNow() - Body.Header.MadeAt, _waited);

    /// <summary>Ends the lending of that number once; later calls do nothing.</summary>
    public void TryEnd(long lending)
    {
        // Between the two even states nobody can lend the slot: it is not in the pool yet.
        if (Interlocked.CompareExchange(ref _lending, lending + 1, lending) != lending) return;
        var body = _body;
        var reader = _reader;
        _body = null;
        _reader = null;
        var slots = t_slots ??= new LeaseSlot[PerThread];
        if (t_count < PerThread) slots[t_count++] = this;
        else if (Overflow.Count < 1024) Overflow.Enqueue(this);
        reader?.Detach();
        body!.Release();
    }
}
