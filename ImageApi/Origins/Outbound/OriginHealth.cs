using System.Collections.Concurrent;

namespace ImageApi.Origins.Outbound;

/// <summary>How an origin fares.</summary>
internal enum OriginState
{
    /// <summary>Not asked yet.</summary>
    Unknown,
    Healthy,

    /// <summary>The last request failed.</summary>
    Failing,

    /// <summary>It failed so often that it is left alone for a few seconds.</summary>
    Open,
}

/// <summary>A snapshot of an origin's health since the start of this process.</summary>
/// <param name="Name">The origin.</param>
/// <param name="State">Now.</param>
/// <param name="Since">Since when it is in this state.</param>
/// <param name="LastError">The kind of the last failure, or null.</param>
/// <param name="LastErrorAt">When that was.</param>
/// <param name="Requests">Tries sent.</param>
/// <param name="Failures">Tries that failed: no answer, or a status of 500 and above.</param>
/// <param name="Bytes">Bytes of bodies received.</param>
/// <param name="P50">The median time to an answer's header over the last 128 answers; null before the first.</param>
internal sealed record OriginHealth(
    string Name, OriginState State, DateTimeOffset Since, OriginFailure? LastError, DateTimeOffset? LastErrorAt, long Requests, long Failures, long Bytes, TimeSpan? P50);

/// <summary>The health of every origin that is spoken to over a network.</summary>
internal sealed class OriginHealthBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, OriginHealthMeter> _meters = new(StringComparer.Ordinal);

    /// <summary>The meter of an origin; made when it is first asked for.</summary>
    public OriginHealthMeter For(string origin) => _meters.GetOrAdd(origin, static (name, time) => new OriginHealthMeter(name, time), time);

    /// <summary>The origin's health; null when it is not spoken to over a network.</summary>
    public OriginHealth? Find(string origin) => _meters.TryGetValue(origin, out var meter) ? meter.Read() : null;

    public IReadOnlyList<OriginHealth> All => [.. _meters.Values.Select(meter => meter.Read()).OrderBy(health => health.Name, StringComparer.Ordinal)];
}

/// <summary>Keeps one origin's health. Safe for concurrent use.</summary>
internal sealed class OriginHealthMeter
{
    private const int Kept = 128;

    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly long[] _ticks = new long[Kept];
    private long _answers;
    private long _requests;
    private long _failures;
    private long _bytes;
    private OriginState _state;
    private DateTimeOffset _since;
    private OriginFailure? _lastError;
    private DateTimeOffset? _lastErrorAt;

    public OriginHealthMeter(string name, TimeProvider time)
    {
        (_name, _time) = (name, time);
        _since = time.GetUtcNow();
    }

    /// <summary>An answer's header arrived after <paramref name="elapsed"/>.</summary>
    public void Answered(TimeSpan elapsed, bool isFailure)
    {
        lock (_gate)
        {
            _requests++;
            _ticks[_answers++ % Kept] = elapsed.Ticks;
            if (isFailure) NoteFailure(OriginFailure.Unreachable);
            else EnterLocked(OriginState.Healthy);
        }
    }

    /// <summary>No answer came.</summary>
    public void Failed(OriginFailure failure)
    {
        lock (_gate)
        {
            _requests++;
            NoteFailure(failure);
        }
    }

    /// <summary>Bytes of a body arrived.</summary>
    public void Read(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>The circuit breaker changed its mind.</summary>
    public void Enter(OriginState state)
    {
        lock (_gate) EnterLocked(state);
    }

    public OriginHealth Read()
    {
        lock (_gate)
        {
            return new OriginHealth(_name, _state, _since, _lastError, _lastErrorAt, _requests, _failures, Interlocked.Read(ref _bytes), Median());
        }
    }

    private void NoteFailure(OriginFailure failure)
    {
        _failures++;
        (_lastError, _lastErrorAt) = (failure, _time.GetUtcNow());
        if (_state != OriginState.Open) EnterLocked(OriginState.Failing);
    }

    private void EnterLocked(OriginState state)
    {
        if (_state == state) return;
        (_state, _since) = (state, _time.GetUtcNow());
    }

    private TimeSpan? Median()
    {
        var count = (int)Math.Min(_answers, Kept);
        if (count == 0) return null;
        var sorted = _ticks.AsSpan(0, count).ToArray();
        Array.Sort(sorted);
        return TimeSpan.FromTicks(sorted[count / 2]);
    }
}
