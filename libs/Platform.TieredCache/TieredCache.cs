using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Platform.TieredCache;

/// <summary>
/// The tiers put together: a look into memory without locks, then one flight per key that asks the outer tiers and at
/// last the maker. README.md beside this file says who owns what and what may race.
/// </summary>
public sealed partial class TieredCache : ITieredCache, ICacheAdministration, IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly CacheCounters _counters = new();
    private readonly CacheMetrics _metrics;
    private readonly MemoryTier _memory;
    private readonly IOuterTier[] _outer;
    private readonly RedisOuterTier? _redis;        // one of them: the tier that nodes tell each other through
    private readonly RedisTierOptions _redisOptions;
    private readonly DiskTier? _disk;               // one of them: large values are written to it while they arrive
    private readonly ObjectTier? _objects;          // the last of them
    private readonly RecordStore _records;
    private readonly FlightTable _flights = new();
    private readonly Func<CacheKey, Body?> _lookAgain;
    private readonly Func<Flight, bool> _keep;
    private readonly Action<Invalidation> _forget;
    private int _disposed;

    /// <summary>A cache with a memory tier, a disk tier where the options name a folder, and Redis where one is given, which it then owns.</summary>
    /// <param name="options">Bounds.</param>
    /// <param name="redis">The tier shared between nodes, or null.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="meters">Makes the meter <c>Platform.TieredCache</c>; null for one of its own.</param>
    /// <param name="objects">The object store shared between nodes, or null.</param>
    public TieredCache(TieredCacheOptions? options = null, RedisTier? redis = null, TimeProvider? time = null, IMeterFactory? meters = null, IObjectStore? objects = null)
    {
        options ??= new TieredCacheOptions();
        _redisOptions = options.Redis;
        _time = time ?? TimeProvider.System;
        _memory = new MemoryTier(options.Memory, _counters);
        _metrics = new CacheMetrics(meters, _counters);
        _redis = redis is null ? null : new RedisOuterTier(redis, options.Redis, _counters, _time);
        _bounds = BoundsOf(options);
        _records = new RecordStore(options.Records, _time);
        _disk = string.IsNullOrEmpty(options.Disk.Path) ? null : new DiskTier(options.Disk, _bounds, _counters, _time, ForgetInMemory);
        if (_disk is not null)
        {
            var folder = new RecordFolder(_disk, options.Records);
            _records.UseFolder(folder);
            _disk.KeepRecordBounds = folder.KeepBounds;
        }

        _objects = objects is null ? null : new ObjectTier(objects, options.Objects, kind => Kinds[kind], _counters, _time);
        _outer = [.. new IOuterTier?[] { _redis, _disk, _objects }.OfType<IOuterTier>()];      // the order of asking
        _lookAgain = key => _memory.TryGet(key, out var body) ? body : null;
        _keep = flight => _memory.TryAdd(flight.Key, flight.Body);
        _forget = _memory.Forget;
        if (_redis is null) return;
        // What other nodes invalidated while this one was away is read from where it stopped; where that is not known, records on disk count no more.
        var mark = _disk?.TryReadMark();
        if (mark is null) _records.ForgetAll();
        _redis.Start(this, mark);
    }

    /// <summary>The records beside the values; invalidated with them.</summary>
    public IRecordStore Records => _records;

    /// <inheritdoc/>
    public KindPolicies Kinds => Bounds.Kinds;

    internal MemoryTier Memory => _memory;

    internal DiskTier? DiskTier => _disk;

    internal ObjectTier? Objects => _objects;

    internal int Flights => _flights.Count;

    /// <inheritdoc/>
    public ValueTask<CacheLease> GetOrCreateAsync<TState>(CacheKey key, TState state, EntryPolicy policy,
        Func<TState, EntryWriter, CancellationToken, Task> make, CancellationToken cancellationToken)
    {
        if (_memory.TryGet(key, out var body)) return new ValueTask<CacheLease>(LendHit(key, body, TimeSpan.Zero));
        return GetOrMakeAsync(key, state, policy, make, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<CacheLease?> TryGetAsync(CacheKey key, CancellationToken cancellationToken)
    {
        if (_memory.TryGet(key, out var body)) return new ValueTask<CacheLease?>(LendHit(key, body, TimeSpan.Zero));
        _counters.Add(CacheTier.Memory, key.Kind, CacheResult.Miss);
        return _disk is null ? new ValueTask<CacheLease?>((CacheLease?)null) : TryGetFromDiskAsync(_disk, key, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask RemoveAsync(CacheKey key, CancellationToken cancellationToken) => ForgetAsync(Invalidation.Of(key), fromAnotherNode: false, cancellationToken);

    /// <inheritdoc/>
    public ValueTask InvalidateAsync(CacheTag tag, CancellationToken cancellationToken) => ForgetAsync(Invalidation.Of(tag), fromAnotherNode: false, cancellationToken);

    /// <inheritdoc/>
    public CacheStatistics GetStatistics() => new()
    {
        Tiers = [.. _counters.ReadAll(_time.GetUtcNow())],
        MemoryCapacityBytes = Bounds.MemoryBytes,
        MemoryBytes = _memory.ChargedBytes + _memory.Pool.BookkeepingBytes + _memory.Pool.OverflowBytes,
        DiskCapacityBytes = _disk is null ? 0 : Bounds.DiskBytes,
        DiskBytes = _disk?.Index.Bytes ?? 0,
    };

    /// <summary>
    /// Waits until the values that were made so far are on disk, as far as the disk tier takes them: from then on a death of this process does not lose them.
    /// (A power cut may: the system writes to the device later. What it leaves half written is found by its checksums.)
    /// </summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        while (_flights.IsLanding()) await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        if (_disk is not null) await _disk.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets everything and ends the outer tiers. Leases still held stay valid until they are disposed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        foreach (var tier in _outer) await tier.DisposeAsync().ConfigureAwait(false);
        _memory.Dispose();
        _metrics.Dispose();
    }

    /// <summary>Forgets in every tier; what comes from another node is done already in the tiers that nodes share.</summary>
    private async ValueTask ForgetAsync(Invalidation what, bool fromAnotherNode, CancellationToken cancellationToken)
    {
        _flights.Invalidate(what, _forget);
        _records.Forget(what);
        if (fromAnotherNode) _objects?.Learn(what);
        foreach (var tier in _outer)
            if (!fromAnotherNode || (tier != _redis && tier != _objects)) await tier.InvalidateAsync(what, cancellationToken).ConfigureAwait(false);
    }

    private CacheLease LendHit(CacheKey key, Body body, TimeSpan waited)
    {
        _counters.AddHit(CacheTier.Memory, key.Kind, body.PublishedBytes);
        return LeaseSlot.Lend(body, reader: null, CacheTier.Memory, CacheResult.Hit, waited, _time);
    }

    private async ValueTask<CacheLease> GetOrMakeAsync<TState>(CacheKey key, TState state, EntryPolicy policy,
        Func<TState, EntryWriter, CancellationToken, Task> make, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var started = _time.GetTimestamp();
        var flight = _flights.JoinOrBegin(key, policy, _lookAgain, out var began, out var reader, out var found);
        if (flight is null) return LendHit(key, found!, _time.GetElapsedTime(started));
        _counters.Add(CacheTier.Memory, key.Kind, CacheResult.Miss);
        if (began)
        {
            flight.RedisMark = _redis?.Mark;
            flight.Writer = NewWriter(flight);
            // Not awaited: it outlives this caller when others have joined. It reports through the flight and never throws.
            _ = FlyAsync(flight, state, make);
        }

        try
        {
            await flight.Readable.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            reader!.Detach();
            flight.Body.Release();
            throw;
        }

        var source = flight.Writer.Source;
        var result = began ? (source == CacheTier.Origin ? CacheResult.Miss : CacheResult.Hit) : CacheResult.Coalesced;
        if (!began) _counters.Add(source, key.Kind, CacheResult.Coalesced);
        return LeaseSlot.Lend(flight.Body, reader, source, result, _time.GetElapsedTime(started), _time);
    }

    private async Task FlyAsync<TState>(Flight flight, TState state, Func<TState, EntryWriter, CancellationToken, Task> make)
    {
        var (key, writer) = (flight.Key, flight.Writer);
        var started = _time.GetTimestamp();
        try
        {
            if (_disk is not null && flight.Policy.Disk) flight.DiskEpoch = await _disk.ReadEpochAsync(flight.Token).ConfigureAwait(false);
            if (!await TryReadOuterAsync(flight).ConfigureAwait(false) && !await WaitForTurnAsync(flight).ConfigureAwait(false))
            {
                writer.Source = CacheTier.Origin;
                await make(state, writer, flight.Token).ConfigureAwait(false);
            }

            writer.Complete();
            // Its readers may find the file damaged when the flight is long over.
            if (writer.Source == CacheTier.Disk && flight.Body.File is not null)
                flight.Body.MakeAgain = token => GetOrMakeAsync(key, state, flight.Policy, make, token);
            if (writer.Source == CacheTier.Origin) _counters.AddMade(key.Kind, writer.WrittenBytes);
            _metrics.RecordFetch(writer.Source, key.Kind, _time.GetElapsedTime(started));
            var kept = Keep(flight);
            flight.SetReadable();
            if (kept) OfferToOuter(flight, _time.GetElapsedTime(started));
        }
        catch (Exception exception)
        {
            if (!flight.IsAbandoned) _counters.Add(CacheTier.Origin, key.Kind, CacheResult.Error);
            _flights.End(flight);
            flight.SetFailed(exception);
        }
        finally
        {
            _redis?.EndTurn(flight);
            writer.Close();
            _flights.End(flight);
            flight.Body.Release();
        }
    }

    private async ValueTask<bool> TryReadOuterAsync(Flight flight)
    {
        foreach (var tier in _outer)
        {
            if (!tier.Holds(flight.Policy)) continue;
            flight.Writer.Source = tier.Tier;
            if (await tier.TryReadAsync(flight.Key, flight.Writer, flight.Token).ConfigureAwait(false)) return true;
        }

        return false;
    }

    /// <summary>A look into the disk tier alone. Nobody joins it: who comes to make the value would get this flight's "none".</summary>
    private async ValueTask<CacheLease?> TryGetFromDiskAsync(DiskTier disk, CacheKey key, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var flight = _flights.BeginUnlisted(key, EntryPolicy.For(key.Kind).WithDisk());
        flight.Writer = NewWriter(flight);
        flight.Writer.Source = CacheTier.Disk;
        try
        {
            if (!await disk.TryReadAsync(key, flight.Writer, cancellationToken).ConfigureAwait(false)) return null;
            flight.Writer.Complete();
            Keep(flight);
            flight.Body.TryAddReference();
            return LeaseSlot.Lend(flight.Body, reader: null, CacheTier.Disk, CacheResult.Hit, _time.GetElapsedTime(started), _time);
        }
        finally
        {
            flight.Writer.Close();
            _flights.End(flight);
            flight.Body.Release();
        }
    }

    private BodyWriter NewWriter(Flight flight)
        => new(flight, flight.Body, _memory, _disk, flight.Policy, Kinds[flight.Key.Kind].MaxMemoryBytes ?? flight.Policy.MaxMemoryBytes, _time);

    private void ForgetInMemory(Invalidation what)
    {
        _flights.Invalidate(what, _forget);
        _records.Forget(what);
    }

    /// <summary>True when the value may be kept at all: then outer tiers are offered it even where memory is not to hold it.</summary>
    private bool Keep(Flight flight)
    {
        var body = flight.Body;
        if (body.IsWindowed) return false;
        var fits = body.File is null && flight.Writer.FitsMemory(body.PublishedBytes) && !body.HasOverflow;
        return _flights.TryKeep(flight, fits ? _keep : static _ => true);
    }

    /// <summary>Offers what was found in one tier, or made, to the tiers that are asked before it.</summary>
    private void OfferToOuter(Flight flight, TimeSpan madeIn)
    {
        foreach (var tier in _outer)
        {
            if (tier.Tier == flight.Writer.Source) break;
            if (!tier.Holds(flight.Policy)) continue;
            if (tier != _disk && flight.Body.PublishedBytes > Kinds[flight.Key.Kind].MaxRemoteBytes) continue;
            tier.Offer(flight, madeIn);
        }
    }
}
