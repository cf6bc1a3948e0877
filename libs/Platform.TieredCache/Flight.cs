namespace Platform.TieredCache;

/// <summary>
/// One making of one value that is under way, and everybody who waits for it. Lives from the miss that began it until
/// the value is kept or has failed. Fields marked "table lock" are touched under <see cref="FlightTable"/>'s lock only.
/// </summary>
internal sealed class Flight
{
    private readonly FlightTable _table;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TaskCompletionSource _readable = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Flight(FlightTable table, CacheKey key, EntryPolicy policy, long epoch)
    {
        _table = table;
        Key = key;
        Policy = policy;
        Epoch = epoch;
        Body = new Body(Abandon);
    }

    public CacheKey Key { get; }

    public EntryPolicy Policy { get; }

    /// <summary>How many invalidations there had been when it began.</summary>
    public long Epoch { get; }

    public Body Body { get; }

    public BodyWriter Writer { get; set; } = null!;

    /// <summary>What this node knew of the invalidations when it began; null while it knows nothing.</summary>
    public LogMark? RedisMark { get; set; }

    /// <summary>This node's turn among the nodes, until it is given back or handed to the write that ends it.</summary>
    public RedisTurn? Turn;

    /// <summary>The epoch of the disk tier's folder when the making began; 0 where it was not asked or cannot say.</summary>
    public long DiskEpoch { get; set; }

    public bool IsListed;         // table lock: new callers may join
    public bool IsForgotten;      // table lock: keeps nothing
    public bool IsAbandoned;      // table lock: nobody waits, the work is being stopped

    /// <summary>Cancelled when the last who waited has left.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>Completes when there is something to read, fails when the maker does.</summary>
    public Task Readable => _readable.Task;

    public void SetReadable() => _readable.TrySetResult();

    public void SetFailed(Exception exception)
    {
        Body.Fail(exception);
        _readable.TrySetException(exception);
        _ = _readable.Task.Exception;      // observed: a waiter may have left
    }

    public void KeepNothing() => _table.Forget(this);

    private void Abandon()
    {
        if (_table.TryAbandon(this)) _cancellation.Cancel();
    }
}

/// <summary>
/// The makings under way in this process, and the epochs that decide which of them may still keep what they make.
/// One lock, taken on misses, removals and invalidations only.
/// </summary>
internal sealed class FlightTable
{
    private const int MaxTagEpochs = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<CacheKey, Flight> _listed = [];
    private readonly HashSet<Flight> _running = [];
    private readonly Dictionary<CacheTag, long> _tagEpochs = [];
    private long _epoch;
    private long _floor;          // flights older than this keep nothing: their tags' epochs are no longer known

    public int Count
    {
        get { lock (_lock) return _running.Count; }
    }

    /// <summary>
    /// Joins the flight of that key, or begins one after <paramref name="lookAgain"/> found nothing (a flight may have
    /// landed since the caller's own look). The flight comes with one reference and one reader for the caller.
    /// </summary>
    public Flight? JoinOrBegin(CacheKey key, EntryPolicy policy, Func<CacheKey, Body?> lookAgain, out bool began, out BodyReader? reader, out Body? found)
    {
        lock (_lock)
        {
            found = null;
            began = false;
            if (_listed.TryGetValue(key, out var flight) && flight.Body.TryAddReference())
            {
                reader = flight.Body.AddReader();
                return flight;
            }

            reader = null;
            found = lookAgain(key);
            if (found is not null) return null;
            began = true;
            flight = new Flight(this, key, policy, _epoch) { IsListed = true };
            flight.Body.TryAddReference();
            reader = flight.Body.AddReader();
            _listed[key] = flight;
            _running.Add(flight);
            return flight;
        }
    }

    /// <summary>Whether a value is complete and has not been given to the tiers yet.</summary>
    public bool IsLanding()
    {
        lock (_lock)
        {
            foreach (var flight in _running)
                if (flight.Body.IsComplete) return true;
            return false;
        }
    }

    /// <summary>A flight of its own, with one reference, that nobody joins.</summary>
    public Flight BeginUnlisted(CacheKey key, EntryPolicy policy)
    {
        lock (_lock)
        {
            var flight = new Flight(this, key, policy, _epoch);
            _running.Add(flight);
            return flight;
        }
    }

    /// <summary>Keeps what a flight made, unless it was removed or invalidated since the flight began; atomically with both.</summary>
    public bool TryKeep(Flight flight, Func<Flight, bool> keep)
    {
        lock (_lock)
        {
            if (flight.IsForgotten || flight.IsAbandoned || flight.Epoch < _floor) return false;
            foreach (var tag in flight.Body.Header.Tags)
                if (_tagEpochs.TryGetValue(tag, out var epoch) && epoch > flight.Epoch) return false;
            return keep(flight);
        }
    }

    /// <summary>Ends a flight: nobody joins it any more.</summary>
    public void End(Flight flight)
    {
        lock (_lock)
        {
            Unlist(flight);
            _running.Remove(flight);
            if (_running.Count == 0) _tagEpochs.Clear();
        }
    }

    public void Forget(Flight flight)
    {
        lock (_lock)
        {
            flight.IsForgotten = true;
            Unlist(flight);
        }
    }

    /// <summary>True when nobody waits any more, and now nobody will.</summary>
    public bool TryAbandon(Flight flight)
    {
        lock (_lock)
        {
            if (flight.IsAbandoned || flight.Body.References > 1 || !_running.Contains(flight)) return false;
            flight.IsAbandoned = true;
            Unlist(flight);
            return true;
        }
    }

    /// <summary>
    /// Forgets: a flight that began before keeps nothing of what is named, and whoever comes now does not join it.
    /// <paramref name="alsoForget"/> runs atomically with that.
    /// </summary>
    public void Invalidate(Invalidation what, Action<Invalidation> alsoForget)
    {
        lock (_lock)
        {
            _epoch++;
            if (what.Scope == InvalidationScope.All || (what.Scope == InvalidationScope.Tag && _tagEpochs.Count >= MaxTagEpochs))
            {
                _tagEpochs.Clear();
                _floor = _epoch;
            }

            if (what.Scope == InvalidationScope.Tag && _running.Count > 0) _tagEpochs[what.Tag] = _epoch;
            foreach (var flight in _running)
            {
                switch (what.Scope)
                {
                    // Whose tags are not known yet might carry this one: who comes now must not get their value.
                    case InvalidationScope.Tag when flight.Body.HeaderOrNull is not { } header || header.Tags.Contains(what.Tag):
                        Unlist(flight);
                        break;
                    case InvalidationScope.All:
                    case InvalidationScope.Key when flight.Key == what.Key:
                    case InvalidationScope.Kind when flight.Key.Kind == what.Kind:
                        flight.IsForgotten = true;
                        Unlist(flight);
                        break;
                }
            }

            alsoForget(what);
        }
    }

    private void Unlist(Flight flight)
    {
        if (!flight.IsListed) return;
        flight.IsListed = false;
        _listed.Remove(flight.Key);
    }
}
