using System.Diagnostics;
using System.Globalization;
using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ImageApi.Origins.Outbound;

/// <summary>
/// Patience with an origin, and its bounds: how many requests at once, how long a try and all of them may take, which are tried again, and when it is left
/// alone for a while.
/// </summary>
internal sealed class OriginHandler : DelegatingHandler
{
    /// <summary>A pause that an origin asks for is kept if it is not longer; else its answer is handed up as it is.</summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>A body that is sent may be large: what it comes from is bounded where it comes in.</summary>
    private static readonly TimeSpan SendingTimeout = TimeSpan.FromMinutes(30);

    private readonly OriginOptions _options;
    private readonly OriginHealthMeter _meter;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turns;
    private readonly ResiliencePipeline<HttpResponseMessage> _patience;
    private readonly ResiliencePipeline<HttpResponseMessage> _onceSent;
    private readonly ResiliencePipeline<HttpResponseMessage> _withBody;
    private readonly OriginMetrics _metrics;
    private readonly string _name;

    public OriginHandler(string name, OriginOptions options, int turns, OriginHealthMeter meter, OriginMetrics metrics, TimeProvider time)
    {
        (_name, _options, _meter, _metrics, _time) = (name, options, meter, metrics, time);
        _turns = new SemaphoreSlim(turns, turns);
        var patience = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }.AddTimeout(options.TotalTimeout);
        if (options.Retries > 0)
        {
            patience.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.Retries,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromSeconds(2),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(IsWorthAnotherTry(arguments.Outcome)),
                DelayGenerator = arguments => ValueTask.FromResult(RetryAfter(arguments.Outcome.Result)),
                OnRetry = static arguments =>
                {
                    arguments.Outcome.Result?.Dispose();   // gives its turn back
                    return ValueTask.CompletedTask;
                },
            });
        }
        _patience = patience.Build();
        _onceSent = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = static arguments => ValueTask.FromResult(IsFailure(arguments.Outcome)),
                OnOpened = _ => Tell(OriginState.Open),
                OnHalfOpened = _ => Tell(OriginState.Failing),
                OnClosed = _ => Tell(OriginState.Healthy),
            })
            .AddTimeout(options.TryTimeout)
            .Build();
        _withBody = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }.AddTimeout(SendingTimeout).Build();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options
                ? await _patience.ExecuteAsync(static async (state, token) => await state.Handler.SendInTurnAsync(state.Request, token), (Handler: this, Request: request), cancellationToken)
                : await SendInTurnAsync(request, cancellationToken);
        }
        catch (TimeoutRejectedException exception)
        {
            throw new OriginHttpException(OriginFailure.Timeout, $"Origin {_name} took too long.", exception, HttpRequestError.ConnectionError);
        }
        catch (BrokenCircuitException exception)
        {
            throw new OriginHttpException(OriginFailure.Unreachable, $"Origin {_name} failed repeatedly and is left alone for a while.", exception, HttpRequestError.ConnectionError) { RetryAfter = exception.RetryAfter };
        }
        catch (HttpRequestException exception) when (exception is not OriginHttpException)
        {
            var failure = OriginFailures.From(exception);
            throw new OriginHttpException(failure.Failure, failure.Message, exception, exception.HttpRequestError) { RetryAfter = failure.RetryAfter };
        }
    }

    /// <summary>One try. It holds its turn until its body has been read or the answer is disposed.</summary>
    private async Task<HttpResponseMessage> SendInTurnAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        var isKept = false;
        var start = _time.GetTimestamp();
        try
        {
            var pipeline = request.Content is null ? _onceSent : _withBody;
            var response = await pipeline.ExecuteAsync(static async (state, token) => await state.Handler.SendOnceAsync(state.Request, token), (Handler: this, Request: request), cancellationToken);
            _meter.Answered(_time.GetElapsedTime(start), isFailure: (int)response.StatusCode >= 500);
            response.Content = new OriginBody(response.Content, new OriginBodyLimits(_options.TryTimeout, _options.TotalTimeout, _time), Read, GiveBack);
            isKept = true;
            return response;
        }
        catch (Exception exception) when (exception is not (BrokenCircuitException or OperationCanceledException))
        {
            _meter.Failed(exception is TimeoutRejectedException ? OriginFailure.Timeout : OriginFailures.From(exception).Failure);
            throw;
        }
        finally
        {
            if (!isKept) GiveBack();
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _metrics.Requested(_name);
        var response = await base.SendAsync(request, cancellationToken);
        if (HasBelievableLength(response)) return response;
        response.Dispose();
        throw new OriginHttpException(OriginFailure.Unreachable, "The origin's answer contradicts itself about its length.", error: HttpRequestError.InvalidResponse);
    }

    /// <summary>One length in digits, however often it is said, or none: with any other nobody knows where the body ends (RFC 9112 6.3, item 5).</summary>
    private static bool HasBelievableLength(HttpResponseMessage response)
    {
        if (!response.Content.Headers.NonValidated.TryGetValues("Content-Length", out var lengths)) return true;
        string? length = null;
        foreach (var line in lengths)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var one = line.AsSpan(range).Trim(" \t");
                if (!long.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out _) || (length is not null && !one.SequenceEqual(length))) return false;
                length ??= one.ToString();
            }
        }
        return true;
    }

    private void GiveBack() => _turns.Release();

    private void Read(int bytes)
    {
        _meter.Read(bytes);
        _metrics.Received(_name, bytes);
    }

    private ValueTask Tell(OriginState state)
    {
        _meter.Enter(state);
        return ValueTask.CompletedTask;
    }

    private bool IsWorthAnotherTry(in Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Exception: OriginHttpException } => false,
        { Exception: HttpRequestException exception } => OriginFailures.From(exception).Failure is OriginFailure.Unreachable or OriginFailure.Timeout,
        { Exception: TimeoutRejectedException } => true,
        { Result: { StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented } response } =>
            RetryAfter(response) is not { } pause || pause <= LongestRetryAfter,
        _ => false,
    };

    // 500 is of one request: servers answer it for a single file that they cannot read, and that must not cost all others.
    private static bool IsFailure(in Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Exception: OriginHttpException or { InnerException: OriginException } } => false,   // a rule of ours said no
        { Exception: HttpRequestException or TimeoutRejectedException } => true,
        { Result.StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout } => true,
        _ => false,
    };

    private TimeSpan? RetryAfter(HttpResponseMessage? response)
    {
        var after = response?.Headers.RetryAfter;
        var pause = after?.Delta ?? (after?.Date is { } date ? date - _time.GetUtcNow() : null);
        return pause < TimeSpan.Zero ? TimeSpan.Zero : pause;
    }
}
