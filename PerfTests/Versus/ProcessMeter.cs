namespace PerfTests.Versus;

/// <summary>
/// Watches the anonymous resident memory of a process ten times a second, and its CPU time. Anonymous memory is what
/// the process itself holds; files in the page cache are the system's.
/// </summary>
internal sealed class ProcessMeter : IDisposable
{
    private readonly int _processId;
    private readonly Timer _timer;
    private long _peakBytes;

    public ProcessMeter(int processId)
    {
        _processId = processId;
        Sample();
        _timer = new Timer(_ => Sample(), null, 100, 100);
    }

    public long PeakAnonymousBytes => Volatile.Read(ref _peakBytes);

    /// <summary>User and system time so far; zero when the process is gone.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            try
            {
                using var process = System.Diagnostics.Process.GetProcessById(_processId);
                return process.TotalProcessorTime;
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
            {
                return TimeSpan.Zero;
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Sample();
    }

    private void Sample()
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{_processId}/status"))
            {
                if (!line.StartsWith("RssAnon:", StringComparison.Ordinal)) continue;
                var bytes = long.Parse(line.AsSpan(8).Trim()[..^3].Trim()) * 1024;
                long seen;
                while (bytes > (seen = Volatile.Read(ref _peakBytes)) && Interlocked.CompareExchange(ref _peakBytes, bytes, seen) != seen)
                {
                }

                return;
            }
        }
        catch (IOException)
        {
            // The process has ended: what was seen stands.
        }
    }
}
