using System.Buffers;
using System.Security.Cryptography;

namespace Platform.TieredCache;

/// <summary>
/// Values in an object store, the last tier before the maker: what one node made is there for all, and outlives every node. Never in the way: each request has
/// one deadline, failures in a row leave the store alone for a while, and what it gives is checked before the first byte is used. Its death costs the deadline
/// a few times, then nothing.
/// </summary>
internal sealed class ObjectTier(IObjectStore store, ObjectTierOptions options, Func<EntryKind, KindPolicy> policyOf, CacheCounters counters, TimeProvider time) : IOuterTier
{
    private readonly CircuitBreaker _breaker = new(options.FailuresBeforeBreak, options.BreakDuration, time);
    private readonly ObjectEpochs _epochs = new(store, options, time);
    private readonly SemaphoreSlim _turns = new(options.MaxRequests, options.MaxRequests);
    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<Write> _writes = [];

    public CacheTier Tier => CacheTier.Object;

    /// <summary>Whether the store is being left alone at the moment.</summary>
    public bool IsBroken => _breaker.IsOpen;

    /// <summary>Writes under way.</summary>
    public int PendingWrites
    {
        get { lock (_writes) return _writes.Count; }
    }

    public static string NameOf(CacheKey key)
    {
        Span<byte> bytes = stackalloc byte[CacheKey.Size], hash = stackalloc byte[Digest256.Size];
        key.CopyTo(bytes);
        SHA256.HashData(bytes, hash);
        return $"v1/{Convert.ToHexStringLower(hash)}";
    }

    public bool Holds(EntryPolicy policy) => policy.Remote;

    public async ValueTask<bool> TryReadAsync(CacheKey key, BodyWriter to, CancellationToken cancellationToken)
    {
        byte[]? rented = null;
        try
        {
            var (called, entry) = await CallAsync(async token =>
            {
                await using var found = await store.GetAsync(NameOf(key), token).ConfigureAwait(false);
                if (found is null) return default;
                if (found.Length > options.MaxValueBytes + ObjectEntryFormat.MaxHeadBytes) return Corrupt(key);
                rented = ArrayPool<byte>.Shared.Rent((int)found.Length);
                var stored = rented.AsMemory(0, (int)found.Length);
                await found.Content.ReadExactlyAsync(stored, token).ConfigureAwait(false);
                if (ObjectEntryFormat.Read(key, stored) is not { } value) return Corrupt(key);
                return value.ExpiresAt > time.GetUtcNow() && await _epochs.IsCurrentAsync(key.Kind, value.Header, found.ModifiedAt, value.MadeIn, token).ConfigureAwait(false)
                    ? value
                    : default(ObjectEntry?);
            }, cancellationToken).ConfigureAwait(false);
            if (called != CacheResult.Hit || entry is not { } hit)
            {
                counters.Add(CacheTier.Object, key.Kind, called == CacheResult.Hit ? CacheResult.Miss : called);
                return false;
            }
            to.Start(hit.Header);
            to.Write(hit.Bytes.Span);
            counters.AddHit(CacheTier.Object, key.Kind, hit.Bytes.Length);
            return true;
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public void Offer(Flight flight, TimeSpan madeIn)
    {
        var length = flight.Body.Header.Length ?? long.MaxValue;
        if (length > options.MaxValueBytes || length > (policyOf(flight.Key.Kind).MaxRemoteBytes ?? long.MaxValue)) return;
        var write = new Write(flight);
        lock (_writes)
        {
            if (_writes.Count >= options.MaxPendingWrites || !flight.Body.TryAddReference()) return;
            _writes.Add(write);
        }
        _ = WriteAsync(write, time.GetTimestamp(), madeIn);
    }

    /// <summary>Another node has told the store.</summary>
    public void Learn(Invalidation what)
    {
        _epochs.AskAgain(what);
        if (what.Scope != InvalidationScope.Key) return;
        // Tags and kinds have epochs, which a late write does not survive; a value by itself has none.
        lock (_writes)
        {
            foreach (var write in _writes)
                if (write.Flight.Key == what.Key) write.IsForgotten = true;
        }
    }

    /// <summary>Returns when the store was told, or when it could not be: then it is owed.</summary>
    public async ValueTask InvalidateAsync(Invalidation what, CancellationToken cancellationToken)
    {
        Learn(what);
        _epochs.Owe(what);
        await CallAsync<bool>(static _ => ValueTask.FromResult<bool?>(true), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(Write write, long offeredAt, TimeSpan madeIn)
    {
        var (key, body, policy) = (write.Flight.Key, write.Flight.Body, write.Flight.Policy);
        try
        {
            if (!body.TryGetBytes(out var bytes) || body.Header.BodyDigest.IsNone) return;
            var ttl = policy.Ttl ?? policyOf(key.Kind).Ttl ?? options.Ttl;
            var (called, _) = await CallAsync<bool>(async token =>
            {
                if (write.IsForgotten) return false;
                var head = ObjectEntryFormat.WriteHead(key, body.Header, time.GetUtcNow() + ttl, madeIn + time.GetElapsedTime(offeredAt));
                await store.PutAsync(NameOf(key), Joined(head, bytes), token).ConfigureAwait(false);
                // Removed while it was put: which of the two came first is not known.
                if (write.IsForgotten) await store.DeleteAsync(NameOf(key), token).ConfigureAwait(false);
                return true;
            }, _stopping.Token).ConfigureAwait(false);
            if (called == CacheResult.Error)
            {
                counters.Add(CacheTier.Object, key.Kind, CacheResult.Error);
                if (write.IsForgotten) _epochs.Owe(Invalidation.Of(key));
            }
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        finally
        {
            lock (_writes) _writes.Remove(write);
            body.Release();
        }
    }

    /// <summary>One request of the store within the deadline, what is owed to it first. Hit: it was answered.</summary>
    private async ValueTask<(CacheResult Result, T? Value)> CallAsync<T>(Func<CancellationToken, ValueTask<T?>> call, CancellationToken cancellationToken)
        where T : struct
    {
        if (!_breaker.TryEnter()) return (CacheResult.Bypass, null);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.Timeout);
        var hasTurn = false;
        try
        {
            await _turns.WaitAsync(deadline.Token).ConfigureAwait(false);
            hasTurn = true;
            await _epochs.PayAsync(deadline.Token).ConfigureAwait(false);
            var value = await call(deadline.Token).ConfigureAwait(false);
            _breaker.Succeeded();
            return (CacheResult.Hit, value);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _breaker.Abandoned();
            throw;
        }
        catch (Exception)
        {
            // The deadline, no connection, no right, an answer that is none: all the same to us.
            _breaker.Failed();
            return (CacheResult.Error, null);
        }
        finally
        {
            if (hasTurn) _turns.Release();
        }
    }

    private ObjectEntry? Corrupt(CacheKey key)
    {
        counters.AddCorruption(CacheTier.Object, key.Kind);
        return null;
    }

    private static ReadOnlySequence<byte> Joined(byte[] head, ReadOnlySequence<byte> bytes)
    {
        var first = new Part(head, 0);
        var last = first;
        foreach (var memory in bytes) last = last.Append(memory);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Write(Flight flight)
    {
        public Flight Flight { get; } = flight;
        public volatile bool IsForgotten;
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, long runningIndex) => (Memory, RunningIndex) = (memory, runningIndex);

        public Part Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Part(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
