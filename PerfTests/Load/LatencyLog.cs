using PerfTests.Measuring;

namespace PerfTests.Load;

/// <summary>
/// What the iterations of one scenario took, in our own recorder, whichever engine ran them. In open load an iteration counts from the moment
/// when it was due, not from when the engine came to it: a server that stalls is charged for everybody it kept waiting. Safe for concurrent use.
/// </summary>
internal sealed class LatencyLog(double perSecond)
{
    private readonly Lock _gate = new();
    private long _begun, _firstAt;

    public HdrRecorder Iterations { get; } = new();

    /// <summary>Of single images within an iteration, where it has several.</summary>
    public HdrRecorder Images { get; } = new();

    public long Bytes { get; private set; }

    public long Errors { get; private set; }

    public string? FirstError { get; private set; }

    /// <summary>From the first iteration's start to the last one's end, in nanoseconds.</summary>
    public long Span { get; private set; }

    /// <summary>An iteration begins: the moment from which it counts.</summary>
    public long Begin()
    {
        var now = Clock.Now;
        lock (_gate)
        {
            if (_begun == 0) _firstAt = now;
            var due = perSecond > 0 ? _firstAt + (long)(_begun * (1e9 / perSecond)) : now;
            _begun++;
            return Math.Min(due, now);
        }
    }

    public void Image(long from)
    {
        var took = Clock.Now - from;
        lock (_gate) Images.Record(took);
    }

    public void End(long from, long bytes, string? error)
    {
        var now = Clock.Now;
        lock (_gate)
        {
            Iterations.Record(now - from);
            Bytes += bytes;
            Span = now - _firstAt;
            if (error is null) return;
            Errors++;
            FirstError ??= error;
        }
    }
}
