using System.Security.Cryptography;
using Platform.TieredCache;

namespace Platform.HttpCache.Storing;

/// <summary>The records of one origin's URIs and the bodies that they name. What fails here is a miss, never a failed request.</summary>
internal sealed class ResponseStore(ITieredCache cache, IRecordStore records, HttpCacheOptions options, TimeProvider time)
{
    private const int MaxTries = 8;

    private readonly Invalidations _invalidations = new(time);

    /// <summary>All that this origin gave.</summary>
    public CacheTag Tag { get; } = CacheTag.Of("origin", options.Name);

    public ITieredCache Cache => cache;

    /// <summary>The key of a URI's record: of its scheme, host, port, path and query as they stand.</summary>
    public Digest256 KeyOf(Uri uri)
    {
        var builder = new DigestBuilder(stackalloc byte[512], "hc1"u8);
        builder.Add(options.Name);
        builder.Add(uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped));
        builder.Add(uri.PathAndQuery);
        return builder.Finish();
    }

    /// <summary>A new body's name: random, so that no two answers ever share one.</summary>
    public static Digest256 NewBody()
    {
        Span<byte> id = stackalloc byte[Digest256.Size];
        RandomNumberGenerator.Fill(id);
        return new Digest256(id);
    }

    public async ValueTask<StoredResponses> ReadAsync(Digest256 key, CancellationToken cancellationToken) =>
        (await ReadVersionedAsync(key, cancellationToken).ConfigureAwait(false)).Stored;

    /// <summary>A moment to hand to <see cref="ChangeAsync"/> later: an invalidation since then wins.</summary>
    public long Moment => time.GetTimestamp();

    /// <summary>
    /// Changes a URI's record unless the URI was invalidated after <paramref name="since"/>. Bodies that no answer names any more are removed.
    /// <paramref name="change"/> may run several times; null from it leaves the record as it is.
    /// </summary>
    public async ValueTask<bool> ChangeAsync(Digest256 key, long since, Func<StoredResponses, StoredResponses?> change, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MaxTries; i++)
        {
            if (_invalidations.HappenedSince(key, since)) return false;
            var (stored, version) = await ReadVersionedAsync(key, cancellationToken).ConfigureAwait(false);
            if (change(stored) is not { } changed) return false;
            if (!await TryReplaceAsync(key, version, changed, cancellationToken).ConfigureAwait(false)) continue;
            // It may have come between the look and the replacement.
            if (_invalidations.HappenedSince(key, since)) await ForgetAsync(key, cancellationToken).ConfigureAwait(false);
            await RemoveBodiesAsync(stored.Bodies.Except(changed.Bodies), cancellationToken).ConfigureAwait(false);
            return true;
        }

        return false;
    }

    /// <summary>Forgets a URI (RFC 9111 4.4): what is under way for it is not kept either.</summary>
    public async ValueTask InvalidateAsync(Digest256 key, CancellationToken cancellationToken)
    {
        _invalidations.Add(key);
        await ForgetAsync(key, cancellationToken).ConfigureAwait(false);
    }

    public bool WasInvalidatedSince(Digest256 key, long since) => _invalidations.HappenedSince(key, since);

    private async ValueTask ForgetAsync(Digest256 key, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MaxTries; i++)
        {
            var (stored, version) = await ReadVersionedAsync(key, cancellationToken).ConfigureAwait(false);
            if (version == 0) return;
            if (!await records.TryRemoveAsync(key, version, cancellationToken).ConfigureAwait(false)) continue;
            await RemoveBodiesAsync(stored.Bodies, cancellationToken).ConfigureAwait(false);
            return;
        }
    }

    private async ValueTask<(StoredResponses Stored, long Version)> ReadVersionedAsync(Digest256 key, CancellationToken cancellationToken)
    {
        var record = await records.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        if (record is null) return (StoredResponses.Empty, 0);
        return (StoredResponses.TryRead(record.Value) ?? StoredResponses.Empty, record.Version);
    }

    private async ValueTask<bool> TryReplaceAsync(Digest256 key, long version, StoredResponses changed, CancellationToken cancellationToken)
    {
        if (changed.Variants.IsEmpty) return version == 0 || await records.TryRemoveAsync(key, version, cancellationToken).ConfigureAwait(false);
        return changed.TryWrite() is { } bytes
            && await records.TryReplaceAsync(key, version, new CacheRecord { Value = bytes, Tags = [Tag] }, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask RemoveBodiesAsync(IEnumerable<Digest256> bodies, CancellationToken cancellationToken)
    {
        foreach (var body in bodies) await cache.RemoveAsync(BodySegment.KeyOf(body), cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>
/// When URIs were last invalidated in this process, so that an answer which was asked for before is not kept afterwards. Remembers
/// 4,096 URIs; what is older than those counts as invalidated, which costs a fetch and no more.
/// </summary>
internal sealed class Invalidations(TimeProvider time)
{
    private const int Max = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<Digest256, long> _moments = [];
    private long _floor = long.MinValue;

    public void Add(Digest256 key)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_moments.Count >= Max && !_moments.ContainsKey(key))
            {
                _moments.Clear();
                _floor = now;
            }

            _moments[key] = now;
        }
    }

    public bool HappenedSince(Digest256 key, long moment)
    {
        lock (_lock) return moment < _floor || (_moments.TryGetValue(key, out var at) && at >= moment);
    }
}
