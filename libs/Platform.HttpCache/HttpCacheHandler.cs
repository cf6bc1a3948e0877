using System.Runtime.ExceptionServices;
using Platform.HttpCache.Fetching;
using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache;

/// <summary>
/// A shared HTTP cache (RFC 9111) in front of the handlers below it: answers from the tiers what is fresh, validates what is stale, collapses
/// equal questions into one, serves ranges from whole and partial answers under one strong validator. Answers carry <c>Cache-Status</c>
/// (RFC 9211) and <c>Age</c>; bodies are read while they arrive (<see cref="CachedContent"/>). Handlers below must not follow redirects,
/// decompress or keep cookies; credentials of ours are added there. Thread-safe. README.md beside this file says what is kept and what may race.
/// </summary>
public sealed partial class HttpCacheHandler : DelegatingHandler
{
    private const int MaxWaits = 4;

    private static readonly EntryPolicy BodyPolicy = EntryPolicy.For(EntryKind.File);

    private readonly HttpCacheOptions _options;
    private readonly TimeProvider _time;
    private readonly ResponseStore _store;
    private readonly FlightTable _flights = new();
    private readonly SemaphoreSlim _background;
    private readonly string _origin;

    /// <summary>A cache whose records live in <paramref name="records"/> and whose bodies live in <paramref name="cache"/>.</summary>
    /// <param name="cache">Keeps bodies, each under a random name.</param>
    /// <param name="records">Keeps what is known of each URI.</param>
    /// <param name="options">Bounds and freshness.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public HttpCacheHandler(ITieredCache cache, IRecordStore records, HttpCacheOptions options, TimeProvider? time = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
        _store = new ResponseStore(cache, records, options, _time);
        _background = new SemaphoreSlim(options.MaxBackground, options.MaxBackground);
        _origin = $"\"origin {options.Name}\"";
    }

    /// <summary>Questions to the origin that others may join at this moment.</summary>
    internal int Flights => _flights.Count;

    /// <summary>Forgets what is kept of a URI; what is under way for it is not kept either.</summary>
    public ValueTask InvalidateAsync(Uri uri, CancellationToken cancellationToken) => _store.InvalidateAsync(_store.KeyOf(uri), cancellationToken);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer;
        if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
        {
            answer = await WriteThroughAsync(request, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var asked = new CacheRequest(request, _store);
            answer = asked.IsNotForCaches
                ? await PassAsync(asked, cancellationToken).ConfigureAwait(false)
                : await AnswerAsync(asked, cancellationToken).ConfigureAwait(false);
        }

        answer.RequestMessage = request;
        return answer;
    }

    /// <summary>What the store says to a request.</summary>
    private readonly record struct Look(StoredResponse? Stored, Freshness Freshness, Forwarded Forward);

    private async Task<HttpResponseMessage> AnswerAsync(CacheRequest request, CancellationToken cancellationToken)
    {
        for (var waits = 0; ; waits++)
        {
            var look = await LookAsync(request, cancellationToken).ConfigureAwait(false);
            if (await FromStoreAsync(request, look, cancellationToken).ConfigureAwait(false) is { } answer) return answer;
            if (request.Directives.OnlyIfCached) return NotCached();
            if (request.IsHead) return await FetchHeaderAsync(request, look, cancellationToken).ConfigureAwait(false);

            var leads = true;
            var flight = waits < MaxWaits ? FindFlight(request, look, out leads) : null;
            if (leads) return await FetchAsync(request, look, flight, cancellationToken).ConfigureAwait(false);
            var landing = await flight!.Landing.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (await FromLandingAsync(request, look, landing, cancellationToken).ConfigureAwait(false) is { } joined) return joined;
            // An answer that is not for everybody: who waited for it asks at once, all of them side by side.
            if (landing.Kind is LandingKind.Alone or LandingKind.Arriving) waits = MaxWaits;
        }
    }

    private async ValueTask<Look> LookAsync(CacheRequest request, CancellationToken cancellationToken)
    {
        var responses = await _store.ReadAsync(request.Key, cancellationToken).ConfigureAwait(false);
        if (responses.Select(request.Headers) is not { } stored) return new Look(null, default, responses.Variants.IsEmpty ? Forwarded.UriMiss : Forwarded.VaryMiss);
        var freshness = new Freshness(stored, _options, _time.GetUtcNow());
        return new Look(stored, freshness, !freshness.IsFresh ? Forwarded.Stale : freshness.MayServe(request.Directives) ? Forwarded.Partial : Forwarded.Request);
    }

    /// <summary>The answer without asking the origin first; null when there is none, it is too old, or its bytes are not all here.</summary>
    private async ValueTask<HttpResponseMessage?> FromStoreAsync(CacheRequest request, Look look, CancellationToken cancellationToken)
    {
        if (look.Stored is not { } stored) return null;
        var mayServe = look.Freshness.MayServe(request.Directives);
        if (!mayServe && !look.Freshness.MayServeWhileRevalidating(request.Directives)) return null;
        var held = await HoldAsync(request, stored, cancellationToken).ConfigureAwait(false);
        if (!held.IsAll)
        {
            held.Dispose();
            return null;
        }

        if (!mayServe) BeginRevalidation(request);
        return Answer(stored, held, new CacheStatus(Forwarded.No) { Ttl = look.Freshness.Ttl });
    }

    /// <summary>What a question that somebody else asked is worth to this request; null: nothing, or there is something new in the store.</summary>
    private async ValueTask<HttpResponseMessage?> FromLandingAsync(CacheRequest request, Look look, Landing landing, CancellationToken cancellationToken)
    {
        switch (landing.Kind)
        {
            case LandingKind.Arriving when VaryFields.Match(landing.Response!.Vary, request.Headers):
                var arriving = await HoldArrivingAsync(request, landing.Response, cancellationToken).ConfigureAwait(false);
                return arriving is null ? null : Answer(landing.Response, arriving, new CacheStatus(look.Forward) { Collapsed = true, Detail = _origin });
            case LandingKind.Failed:
                if (await FromStaleAsync(request, look, null, cancellationToken).ConfigureAwait(false) is { } stale) return stale;
                // As it was thrown to who asked: it says whose fault it was, and when trying again may help.
                ExceptionDispatchInfo.Throw(landing.Failure!);
                return null;
            default:
                return null;
        }
    }

    /// <summary>A stored answer in the place of the origin's failure (<paramref name="status"/>; null when it was not reached), marked as such; null where that is not allowed.</summary>
    private async ValueTask<HttpResponseMessage?> FromStaleAsync(CacheRequest request, Look look, int? status, CancellationToken cancellationToken)
    {
        if (look.Stored is not { } stored) return null;
        if (!(status is null ? look.Freshness.MayServeDisconnected(request.Directives) : look.Freshness.MayServeOnError(request.Directives))) return null;
        var held = await HoldAsync(request, stored, cancellationToken).ConfigureAwait(false);
        if (held.IsAll) return Answer(stored, held, new CacheStatus(Forwarded.Stale) { ForwardStatus = status, Ttl = look.Freshness.Ttl, Detail = "\"stale, the origin failed\"" });
        held.Dispose();
        return null;
    }

    /// <summary>The flight that may learn what this request wants to know; null when it has to ask alone.</summary>
    private Flight? FindFlight(CacheRequest request, in Look look, out bool leads)
    {
        leads = true;
        // With conditions of its own, and nothing stored to answer them from, its answer is nobody else's.
        if (request.Headers.Contains("If-Range") || (look.Stored is null && request.IsConditional)) return null;
        if (request.Range is null) return _flights.Join(request.Key, "", out leads);
        if (_flights.Find(request.Key, "") is not { } whole) return _flights.Join(request.Key, request.Range.ToString()!, out leads);
        leads = false;
        return whole;
    }

    /// <summary>Leases what is at hand of the bytes that the request wants of a stored answer.</summary>
    private async ValueTask<Held> HoldAsync(CacheRequest request, StoredResponse stored, CancellationToken cancellationToken)
    {
        var held = new Held(Wanted.Of(request, stored, _time.GetUtcNow()));
        try
        {
            if (held.Wanted.Kind is not (WantedKind.Whole or WantedKind.Range or WantedKind.Unknown))
            {
                held.IsAll = true;
            }
            else if (held.Wanted is { Kind: not WantedKind.Unknown, Count: { } count, Offset: var offset })
            {
                var here = new List<BodySegment>();
                foreach (var segment in stored.Segments.Where(segment => segment.End > offset && segment.Offset < offset + count))
                {
                    if (await LeaseAsync(segment.Key, cancellationToken).ConfigureAwait(false) is not { } lease) continue;
                    held.Add(segment, lease);
                    here.Add(segment);
                }

                held.Gap = (stored with { Segments = [.. here] }).MissingOf(offset, count);
                held.IsAll = held.Gap is null;
            }

            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Leases what the request wants of an answer that still arrives; null when that is too far ahead, or gone.</summary>
    private async ValueTask<Held?> HoldArrivingAsync(CacheRequest request, StoredResponse arriving, CancellationToken cancellationToken)
    {
        var wanted = Wanted.Of(request, arriving, _time.GetUtcNow());
        // RFC 9110 14.2 allows the whole for a range, and its length is not known yet.
        if (wanted.Kind == WantedKind.Unknown) wanted = new Wanted(WantedKind.Whole);
        var held = new Held(wanted) { IsAll = true };
        if (wanted.Kind is not (WantedKind.Whole or WantedKind.Range)) return held;
        var segment = arriving.Segments[0];
        if (wanted.Offset < segment.Offset || wanted.Offset + wanted.Count > segment.End) return null;
        if (await JoinBodyAsync(segment.Key, cancellationToken).ConfigureAwait(false) is not { } lease) return null;
        held.Add(segment, lease);
        if (wanted.Offset - segment.Offset <= lease.AvailableBytes + _options.FollowBytes) return held;
        held.Dispose();
        return null;
    }

    private async ValueTask<CacheLease?> LeaseAsync(CacheKey key, CancellationToken cancellationToken) =>
        await _store.Cache.TryGetAsync(key, cancellationToken).ConfigureAwait(false) ?? await JoinBodyAsync(key, cancellationToken).ConfigureAwait(false);

    /// <summary>A body that somebody fills at this moment, or that a tier has; null when it is gone.</summary>
    private async ValueTask<CacheLease?> JoinBodyAsync(CacheKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.Cache.GetOrCreateAsync(key, 0, BodyPolicy, static (_, _, _) => throw new BodyGoneException(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private sealed class BodyGoneException : Exception;
}
