using System.Collections.Concurrent;

namespace Platform.TieredCache;

/// <summary>
/// What was invalidated in an object store, for all nodes: an empty object per tag and kind, and one for everything, put anew with each invalidation. A value
/// counts when its making began after that, both by the store's own clock: no clocks of nodes are compared. What this node could not tell the store yet
/// is owed, and until it was told nothing is read from it.
/// </summary>
internal sealed class ObjectEpochs(IObjectStore store, ObjectTierOptions options, TimeProvider time)
{
    private const int MaxOwed = 1024, MaxKnown = 8192;

    /// <summary>Stores tell their time in whole seconds.</summary>
    private static readonly TimeSpan ClockGrain = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly HashSet<Invalidation> _owed = [];
    private readonly SemaphoreSlim _paying = new(1, 1);

    public int Owed
    {
        get { lock (_owed) return _owed.Count; }
    }

    public void Owe(Invalidation what)
    {
        lock (_owed)
        {
            if (_owed.Count < MaxOwed)
            {
                _owed.Add(what);
                return;
            }
            _owed.Clear();
            _owed.Add(Invalidation.All);
        }
    }

    /// <summary>Something was invalidated: what is known of it is no longer so.</summary>
    public void AskAgain(Invalidation what)
    {
        if (what.Scope != InvalidationScope.Key) _known.TryRemove(NameOf(what), out _);
    }

    /// <summary>Tells the store all that it is owed. Throws when it cannot be told.</summary>
    public async ValueTask PayAsync(CancellationToken cancellationToken)
    {
        if (Owed == 0) return;
        await _paying.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                Invalidation what;
                lock (_owed)
                {
                    if (_owed.Count == 0) return;
                    what = _owed.First();
                }
                if (what.Scope == InvalidationScope.Key) await store.DeleteAsync(ObjectTier.NameOf(what.Key), cancellationToken).ConfigureAwait(false);
                else await store.PutAsync(NameOf(what), default, cancellationToken).ConfigureAwait(false);
                AskAgain(what);
                lock (_owed) _owed.Remove(what);
            }
        }
        finally
        {
            _paying.Release();
        }
    }

    /// <summary>Whether a value counts that was put at that time by the store's clock.</summary>
    public async ValueTask<bool> IsCurrentAsync(EntryKind kind, EntryHeader header, DateTimeOffset modifiedAt, TimeSpan madeIn, CancellationToken cancellationToken)
    {
        // Putting it took some time as well, at most the deadline.
        var began = modifiedAt - madeIn - options.Timeout - ClockGrain;
        if (await IsAfterAsync(began, Invalidation.All, cancellationToken).ConfigureAwait(false) is false) return false;
        if (await IsAfterAsync(began, Invalidation.Of(kind), cancellationToken).ConfigureAwait(false) is false) return false;
        foreach (var tag in header.Tags)
            if (await IsAfterAsync(began, Invalidation.Of(tag), cancellationToken).ConfigureAwait(false) is false) return false;
        return true;
    }

    private async ValueTask<bool> IsAfterAsync(DateTimeOffset began, Invalidation what, CancellationToken cancellationToken)
    {
        var name = NameOf(what);
        if (!_known.TryGetValue(name, out var known) || time.GetElapsedTime(known.AskedAt) > options.InvalidationsAreSeenWithin)
        {
            var askedAt = time.GetTimestamp();
            if (_known.Count >= MaxKnown) _known.Clear();
            known = new Known(await store.GetModifiedAtAsync(name, cancellationToken).ConfigureAwait(false), askedAt);
            _known[name] = known;
        }
        return known.At is not { } at || began > at;
    }

    private static string NameOf(Invalidation what) => what.Scope switch
    {
        InvalidationScope.Tag => $"e1/tag-{what.Tag}",
        InvalidationScope.Kind => $"e1/kind-{(int)what.Kind}",
        _ => "e1/all",
    };

    private readonly record struct Known(DateTimeOffset? At, long AskedAt);
}
