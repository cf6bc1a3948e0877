using System.Globalization;
using System.Net;
using Platform.HttpCache.Fetching;
using Platform.HttpCache.Fields;
using Platform.HttpCache.Storing;
using Platform.TieredCache;

namespace Platform.HttpCache;

// Asking the origin, and keeping what it says.
public sealed partial class HttpCacheHandler
{
    /// <summary>RFC 9110 9.2.1 and the registry of methods; what is not known is taken to be unsafe.</summary>
    private static readonly HashSet<string> SafeMethods = new(StringComparer.Ordinal) { "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY" };

    /// <summary>When a question was sent: by the clock, and by the counter that invalidations are compared with.</summary>
    private readonly record struct Moment(DateTimeOffset At, long Ticks);

    /// <summary>What an origin answered, before anything is done with its body.</summary>
    /// <param name="Response">As it would be stored, still without segments. Its length is that of the body of this very message.</param>
    /// <param name="Range">The <c>Content-Range</c> of a 206 that agrees with the message's own length, else null.</param>
    /// <param name="IsForOne">Not for the store whatever it says: <c>Vary: *</c>, or a body that ends with the connection, of which nobody can tell whether it is whole.</param>
    private sealed record Arrival(StoredResponse Response, ContentRange? Range, bool IsForOne);

    private Moment Now() => new(_time.GetUtcNow(), _store.Moment);

    private async Task<HttpResponseMessage> FetchAsync(CacheRequest request, Look look, Flight? flight, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(request, look, flight, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            flight?.Land(Landing.Abandoned);
            throw;
        }
        catch (Exception exception)
        {
            flight?.Land(new Landing(LandingKind.Failed, Failure: exception));
            throw;
        }
    }

    /// <summary>Asks the origin: whether what is stored still holds, for the bytes that are missing of it, or for the whole. Lands the flight unless it throws.</summary>
    private async Task<HttpResponseMessage> AskAsync(CacheRequest request, Look look, Flight? flight, CancellationToken cancellationToken)
    {
        var stored = look.Stored;
        using var held = stored is null ? null : await HoldAsync(request, stored, cancellationToken).ConfigureAwait(false);
        var validates = held is { IsAll: true } && stored!.HasValidator;
        var gap = held is { IsEmpty: false, IsAll: false } && stored!.StrongEntityTag is not null ? held.Gap : null;
        using var message = validates ? request.Validate(stored!)
            : gap is { } missing ? request.Continue(missing.First, missing.End == stored!.Length ? null : missing.End, stored.StrongEntityTag!)
            : request.Forward();

        var sent = Now();
        HttpResponseMessage response;
        try
        {
            response = await base.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (await FromStaleAsync(request, look, null, cancellationToken).ConfigureAwait(false) is not { } stale) throw;
            flight?.Land(new Landing(LandingKind.Failed, Failure: exception));
            return stale;
        }

        var isMine = true;
        try
        {
            var arrival = Arrived(response, request, sent.At);
            var status = (int)response.StatusCode;
            if (StatusCodes.IsFailure(status)
                && await FromStaleAsync(request, look, status, cancellationToken).ConfigureAwait(false) is { } stale)
            {
                flight?.Land(new Landing(LandingKind.Failed, Failure: new HttpRequestException("The origin failed.", null, response.StatusCode)));
                return stale;
            }

            var asAnother = new Look(null, default, look.Forward);
            if (validates && status == 304)
            {
                // RFC 9111 4.3.4: a 304 about another version says nothing of ours.
                if (!Confirms(arrival.Response, stored!)) return await AskAsync(request, asAnother, flight, cancellationToken).ConfigureAwait(false);
                var confirmed = stored! with { Headers = stored.Headers.Clone(), RequestTime = sent.At, ResponseTime = arrival.Response.ResponseTime };
                confirmed.Headers.UpdateFrom(arrival.Response.Headers);
                await RefreshAsync(request, stored, confirmed, sent).ConfigureAwait(false);
                flight?.Land(Landing.Changed);
                return Answer(confirmed, held!, new CacheStatus(look.Forward) { ForwardStatus = 304, Detail = _origin });
            }

            if (gap is { } asked && status is 206 or 416)
            {
                if (status == 206 && Continues(arrival, stored!, asked))
                {
                    isMine = false;
                    return await CombineAsync(request, stored!, held!, arrival, response, sent, flight, cancellationToken).ConfigureAwait(false);
                }

                // Not the bytes asked for: what is kept is of another version, or the origin does not know what it says.
                await ForgetAsync(request, sent).ConfigureAwait(false);
                response.Dispose();
                return await AskAsync(request, asAnother, flight, cancellationToken).ConfigureAwait(false);
            }

            isMine = false;
            return await KeepAsync(HttpMethod.Get, request, look, arrival, response, sent, flight, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (isMine) response.Dispose();
        }
    }

    /// <summary>Stores an answer where it may be, and gives it while it arrives; else passes it on. Owns <paramref name="response"/>.</summary>
    private async Task<HttpResponseMessage> KeepAsync(HttpMethod method, CacheRequest request, Look look, Arrival arrival, HttpResponseMessage response, Moment sent, Flight? flight, CancellationToken cancellationToken)
    {
        var (variant, range) = (arrival.Response, arrival.Range);
        var status = new CacheStatus(look.Forward) { ForwardStatus = variant.Status, Detail = _origin };
        var isPart = variant.Status == 206;
        if (arrival.IsForOne || (isPart && (range is null || request.Range is null)) || variant.Length > _options.MaxBodyBytes
            || !Storability.MayStore(method, request.Directives, request.Headers, variant, _options))
        {
            // RFC 9111 4.3.3: the new answer is what holds now, also where it must not be kept. A failure says nothing of the resource.
            if (look.Stored is not null && variant.Status is not (304 or 416) && !StatusCodes.IsFailure(variant.Status)) await ForgetAsync(request, sent).ConfigureAwait(false);
            flight?.Land(Landing.Alone);
            return Pass(response, status);
        }

        if (range is { } part)
        {
            variant = variant with { Status = 200, Headers = variant.Headers.Clone(), Length = part.Length };
            variant.Headers.Remove("Content-Range");
        }
        else if (variant.Length == 0 || variant.Status == 204)
        {
            response.Dispose();
            variant = variant with { Length = 0 };
            await CommitAsync(request, variant, sent).ConfigureAwait(false);
            flight?.Land(Landing.Changed);
            return Answer(variant, new Held(Wanted.Of(request, variant, _time.GetUtcNow())), status with { Stored = true }, isNew: true);
        }

        var segment = new BodySegment(range?.First ?? 0, range?.Count ?? variant.Length ?? long.MaxValue, ResponseStore.NewBody());
        variant = variant with { Segments = [segment] };
        var lease = await FillAsync(request, variant, segment, range, response, sent, flight, cancellationToken).ConfigureAwait(false);
        if (lease is not { } held)
        {
            using var again = request.Forward();
            return Pass(await base.SendAsync(again, cancellationToken).ConfigureAwait(false), status);
        }

        // What the origin answered to a range is the answer, whatever was asked for.
        var wanted = range is { } given ? new Wanted(WantedKind.Range, given.First, given.Count) : Wanted.Of(request, variant, _time.GetUtcNow());
        if (wanted.Kind == WantedKind.Unknown) wanted = new Wanted(WantedKind.Whole);
        // Who wants less than what comes leaves soon: the rest is worth having for the next one.
        if (range is null && wanted.Kind != WantedKind.Whole) FinishInBackground(segment.Key);
        var taken = new Held(wanted);
        taken.Add(segment, held);
        return Answer(variant, taken, status with { Stored = true }, isNew: true);
    }

    /// <summary>Adds the missing bytes to those at hand (RFC 9111 3.4): the newer answer's lines, one strong validator for all bytes. Owns <paramref name="response"/>.</summary>
    private async Task<HttpResponseMessage> CombineAsync(CacheRequest request, StoredResponse stored, Held held, Arrival arrival, HttpResponseMessage response, Moment sent, Flight? flight, CancellationToken cancellationToken)
    {
        var range = arrival.Range!.Value;
        var segment = new BodySegment(range.First, range.Count, ResponseStore.NewBody());
        var combined = stored with { Headers = stored.Headers.Clone(), RequestTime = sent.At, ResponseTime = arrival.Response.ResponseTime, Length = stored.Length ?? range.Length };
        combined.Headers.UpdateFrom(arrival.Response.Headers);
        // Nobody joins: another's wish may need other bytes at hand than these.
        flight?.Land(Landing.Alone);
        if (await FillAsync(request, combined with { Segments = [segment] }, segment, range, response, sent, null, cancellationToken).ConfigureAwait(false) is { } lease)
        {
            held.Add(segment, lease);
            return Answer(combined, held, new CacheStatus(Forwarded.Partial) { ForwardStatus = 206, Stored = true, Detail = _origin }, isNew: true);
        }

        using var again = request.Forward();
        return Pass(await base.SendAsync(again, cancellationToken).ConfigureAwait(false), new CacheStatus(Forwarded.Partial) { Detail = _origin });
    }

    /// <summary>Lets a body flow into the cache; the lease reads it meanwhile. Null when the cache has no room for it. Owns <paramref name="response"/>.</summary>
    private async ValueTask<CacheLease?> FillAsync(CacheRequest request, StoredResponse variant, BodySegment segment, ContentRange? range, HttpResponseMessage response, Moment sent, Flight? flight, CancellationToken cancellationToken)
    {
        var fill = new BodyFill(request, response, variant.StrongEntityTag, segment.Offset, segment.Length == long.MaxValue ? null : segment.Length, variant.Length, _options, base.SendAsync, _store.Tag,
            written => CommitAsync(request, variant with { Length = range is null ? written : variant.Length, Segments = [segment with { Length = written }] }, sent));
        var isFilling = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var lease = _store.Cache.GetOrCreateAsync(segment.Key, (fill, flight), BodyPolicy, static async (state, to, token) =>
            {
                try
                {
                    await state.fill.FillAsync(to, token).ConfigureAwait(false);
                    state.flight?.Land(Landing.Changed);
                }
                catch (Exception exception)
                {
                    state.flight?.Land(new Landing(LandingKind.Failed, Failure: exception));
                    throw;
                }
            }, cancellationToken);
            isFilling = true;
            // Who joins from here on finds the body under way.
            flight?.Land(new Landing(LandingKind.Arriving, variant));
            return await lease.ConfigureAwait(false);
        }
        catch (CacheFullException)
        {
            return null;
        }
        finally
        {
            if (!isFilling) fill.Dispose();
        }
    }

    private ValueTask CommitAsync(CacheRequest request, StoredResponse variant, Moment sent) => ChangeAsync(request, sent, responses =>
    {
        var existing = responses.Select(request.Headers);
        if (existing is null || (existing.ResponseTime <= variant.ResponseTime && variant.IsComplete)) return responses.With(variant, request.Headers, _options.MaxVariants);
        if (EntityTag.StrongEquals(existing.EntityTag, variant.EntityTag) && (existing.Length is null || variant.Length is null || existing.Length == variant.Length))
        {
            var merged = (existing.ResponseTime < variant.ResponseTime ? variant with { Segments = existing.Segments } : existing) with { Length = existing.Length ?? variant.Length };
            foreach (var segment in variant.Segments) merged = merged.WithSegment(segment, _options.MaxSegments);
            return responses.With(merged, request.Headers, _options.MaxVariants);
        }

        return existing.ResponseTime <= variant.ResponseTime ? responses.With(variant, request.Headers, _options.MaxVariants) : null;
    });

    private ValueTask RefreshAsync(CacheRequest request, StoredResponse stored, StoredResponse confirmed, Moment sent) => ChangeAsync(request, sent, responses =>
    {
        // Somebody else may have kept a newer version meanwhile.
        if (responses.Select(request.Headers) is not { } existing || existing.EntityTag != stored.EntityTag || existing.LastModified != stored.LastModified || existing.ResponseTime > confirmed.ResponseTime) return null;
        return Storability.MayStore(HttpMethod.Get, request.Directives, request.Headers, confirmed, _options)
            ? responses.With(confirmed with { Length = existing.Length ?? confirmed.Length, Segments = existing.Segments }, request.Headers, _options.MaxVariants)
            : responses.Without(request.Headers);
    });

    private ValueTask ForgetAsync(CacheRequest request, Moment sent) => ChangeAsync(request, sent, responses => responses.Without(request.Headers));

    /// <summary>Not cancelled by whoever happened to ask: what was learnt is for all.</summary>
    private async ValueTask ChangeAsync(CacheRequest request, Moment sent, Func<StoredResponses, StoredResponses?> change) =>
        await _store.ChangeAsync(request.Key, sent.Ticks, change, CancellationToken.None).ConfigureAwait(false);

    /// <summary>HEAD: passed on, and what it says of a stored GET is believed (RFC 9111 4.3.5).</summary>
    private async Task<HttpResponseMessage> FetchHeaderAsync(CacheRequest request, Look look, CancellationToken cancellationToken)
    {
        var sent = Now();
        using var message = request.Forward();
        HttpResponseMessage response;
        try
        {
            response = await base.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (await FromStaleAsync(request, look, null, cancellationToken).ConfigureAwait(false) is { } stale) return stale;
            throw;
        }

        var status = (int)response.StatusCode;
        if (look.Stored is { } stored && status is not 304 && !StatusCodes.IsFailure(status))
        {
            var arrived = Arrived(response, request, sent.At).Response;
            if (status == stored.Status && Confirms(arrived, stored) && (!response.Content.Headers.Contains("Content-Length") || arrived.Length == stored.Length))
            {
                var confirmed = stored with { Headers = stored.Headers.Clone(), RequestTime = sent.At, ResponseTime = arrived.ResponseTime };
                confirmed.Headers.UpdateFrom(arrived.Headers);
                await RefreshAsync(request, stored, confirmed, sent).ConfigureAwait(false);
            }
            else
            {
                await ForgetAsync(request, sent).ConfigureAwait(false);
            }
        }

        return Pass(response, new CacheStatus(look.Forward) { ForwardStatus = status, Detail = _origin });
    }

    private async Task<HttpResponseMessage> PassAsync(CacheRequest request, CancellationToken cancellationToken)
    {
        using var message = request.Forward();
        return Pass(await base.SendAsync(message, cancellationToken).ConfigureAwait(false), new CacheStatus(Forwarded.Request) { Detail = _origin });
    }

    /// <summary>Other methods go to the origin; unsafe ones that succeed invalidate what they touch (RFC 9111 4.4).</summary>
    private async Task<HttpResponseMessage> WriteThroughAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var status = new CacheStatus(Forwarded.Method) { ForwardStatus = (int)response.StatusCode, Detail = _origin };
        if ((int)response.StatusCode is < 200 or > 399 || SafeMethods.Contains(message.Method.Method)) return Pass(response, status);

        var request = new CacheRequest(message, _store).AsWhole();
        var headers = HeaderLines.Of(response);
        await _store.InvalidateAsync(request.Key, CancellationToken.None).ConfigureAwait(false);
        foreach (var field in (string[])["Location", "Content-Location"])
        {
            if (SameOrigin(request.Uri, headers.Single(field)) is { } other) await _store.InvalidateAsync(_store.KeyOf(other), CancellationToken.None).ConfigureAwait(false);
        }

        // RFC 9110 9.3.3: an answer to POST that says it is the resource's representation, and for how long, may answer a GET.
        if (message.Method == HttpMethod.Post && (int)response.StatusCode == 200 && SameOrigin(request.Uri, headers.Single("Content-Location")) is { } itself && _store.KeyOf(itself) == request.Key)
            return await KeepAsync(HttpMethod.Post, request, new Look(null, default, Forwarded.Method), Arrived(response, request, _time.GetUtcNow()), response, Now(), null, cancellationToken).ConfigureAwait(false);
        return Pass(response, status);
    }

    /// <summary>The address that a field names, if it is one of the same origin.</summary>
    private static Uri? SameOrigin(Uri uri, string? reference) =>
        reference is not null && Uri.TryCreate(uri, reference, out var other) && Uri.Compare(uri, other, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0 ? other : null;

    private Arrival Arrived(HttpResponseMessage response, CacheRequest request, DateTimeOffset sentAt)
    {
        var now = _time.GetUtcNow();
        var headers = HeaderLines.Of(response);
        var isCoded = headers.Contains("Transfer-Encoding");
        var length = isCoded ? null : LengthOf(headers, response, request);
        var endsWithConnection = !isCoded && length is null && !request.IsHead && response.Version.Major < 2 && response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotModified);
        headers.RemoveHopByHop();
        headers.Remove("Content-Length");
        // RFC 9110 6.6.1: an answer without a date gets that of its arrival.
        if (!headers.Contains("Date")) headers.Add("Date", HttpDate.Format(now));
        ContentRange? range = response.StatusCode == HttpStatusCode.PartialContent && ContentRange.TryParse(headers.Single("Content-Range"), out var parsed)
            && (length is null || length == parsed.Count) ? parsed : null;
        var isForOne = !VaryFields.TryTake(headers, request.Headers, out var vary) || endsWithConnection;
        return new Arrival(new StoredResponse { Status = (int)response.StatusCode, Headers = headers, Vary = vary, RequestTime = sentAt, ResponseTime = now, Length = length }, range, isForOne);
    }

    /// <summary>The body's length as told. Where it is told in no number, or in several, nobody knows where the body ends (RFC 9112 6.3).</summary>
    private static long? LengthOf(HeaderLines headers, HttpResponseMessage response, CacheRequest request)
    {
        if (headers.Combined("Content-Length") is not { } told) return null;
        var parts = told.Split(',', StringSplitOptions.TrimEntries).Distinct().ToArray();
        if (parts.Length == 1 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length)) return length;
        if (request.IsHead || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified) return null;
        throw new HttpRequestException(HttpRequestError.InvalidResponse, "The origin does not tell the length of its answer.");
    }

    /// <summary>Whether a later answer speaks of the stored version (RFC 9111 4.3.4).</summary>
    private static bool Confirms(StoredResponse later, StoredResponse stored) => later.EntityTag is { } tag
        ? stored.EntityTag is { } ours && (EntityTag.IsStrong(tag) ? tag == ours : EntityTag.WeakEquals(tag, ours))
        : later.LastModified is null || stored.EntityTag is not null || later.LastModified == stored.LastModified;

    /// <summary>Whether a 206 holds the bytes that are missing, of the same version (RFC 9111 3.4).</summary>
    private static bool Continues(Arrival arrival, StoredResponse stored, (long First, long End) missing) =>
        arrival.Range is { } range && range.First == missing.First && range.Last + 1 >= missing.End && EntityTag.StrongEquals(arrival.Response.EntityTag, stored.EntityTag)
        && (stored.Length is not { } length || range.Length is not { } now || now == length);

    /// <summary>Asks anew behind a stale answer's back, unless somebody does already.</summary>
    private void BeginRevalidation(CacheRequest request)
    {
        if (!_background.Wait(0, CancellationToken.None)) return;
        var whole = request.AsWhole();
        var flight = _flights.Join(whole.Key, "", out var leads);
        if (leads) _ = RevalidateAsync(whole, flight);
        else _background.Release();
    }

    private async Task RevalidateAsync(CacheRequest request, Flight flight)
    {
        try
        {
            using var patience = new CancellationTokenSource(_options.BackgroundTimeout, _time);
            var look = await LookAsync(request, patience.Token).ConfigureAwait(false);
            using var answer = await FetchAsync(request, look, flight, patience.Token).ConfigureAwait(false);
            if (answer.Content is CachedContent content) await content.WaitUntilCompleteAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The stale answer has been given; the next request asks again, and tells its own asker what is wrong.
        }
        finally
        {
            flight.Land(Landing.Changed);
            _background.Release();
        }
    }

    /// <summary>Keeps a body coming although nobody reads it to its end.</summary>
    private void FinishInBackground(CacheKey body)
    {
        if (_background.Wait(0, CancellationToken.None)) _ = FinishAsync(body);
    }

    private async Task FinishAsync(CacheKey body)
    {
        try
        {
            using var patience = new CancellationTokenSource(_options.BackgroundTimeout, _time);
            if (await JoinBodyAsync(body, patience.Token).ConfigureAwait(false) is not { } lease) return;
            await using (lease.ConfigureAwait(false)) await lease.WaitUntilCompleteAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Who reads the body learns of it from his own lease.
        }
        finally
        {
            _background.Release();
        }
    }
}
