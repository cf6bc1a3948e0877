namespace Platform.TieredCache;

/// <summary>Leaves a dependency alone for a while after some failures in a row, then lets one call try it. Thread-safe.</summary>
internal sealed class CircuitBreaker(int failuresBeforeBreak, TimeSpan breakDuration, TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _failures;
    private long _openedAt;
    private bool _open, _trying;

    public bool IsOpen
    {
        get { lock (_lock) return _open; }
    }

    /// <summary>True when a call may go ahead; its end must then be told.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (!_open) return true;
            if (_trying || time.GetElapsedTime(_openedAt) < breakDuration) return false;
            return _trying = true;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            _failures = 0;
            _open = _trying = false;
        }
    }

    public void Failed()
    {
        lock (_lock)
        {
            _trying = false;
            if (++_failures < failuresBeforeBreak && !_open) return;
            _open = true;
            _openedAt = time.GetTimestamp();
        }
    }

    /// <summary>The call ended for the caller's own reasons and says nothing of the dependency.</summary>
    public void Abandoned()
    {
        lock (_lock) _trying = false;
    }
}
