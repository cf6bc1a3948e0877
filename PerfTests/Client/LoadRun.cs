using PerfTests.Measuring;

namespace PerfTests.Client;

/// <summary>What a run of requests gave.</summary>
internal sealed record LoadResult(HdrRecorder Latency, HdrRecorder FirstByte, long Requests, long Errors, long BodyBytes, long HeaderBytes, TimeSpan Wall, string? FirstError)
{
    public double RequestsPerSecond => Requests / Wall.TotalSeconds;

    public double BytesPerSecond => BodyBytes / Wall.TotalSeconds;
}

/// <summary>
/// Sends requests over connections that have a thread each. Closed loop: each connection sends its next request when
/// it has its answer, which finds the throughput. Open loop: requests are due at fixed moments, whatever the server
/// does, and a latency counts from the moment the request was due, not from when a connection was free for it: so a
/// stall is charged to every request that it kept waiting (no coordinated omission).
/// </summary>
internal static class LoadRun
{
    /// <summary>Each of <paramref name="requests"/>, again from the front when they run out, until <paramref name="count"/> were sent.</summary>
    public static LoadResult Closed(Endpoint endpoint, IReadOnlyList<Request> requests, int connections, int count, CancellationToken cancellationToken)
        => Run(endpoint, requests, connections, count, intervalNanoseconds: 0, cancellationToken);

    /// <summary><paramref name="count"/> requests, <paramref name="perSecond"/> of them due each second, evenly.</summary>
    public static LoadResult Open(Endpoint endpoint, IReadOnlyList<Request> requests, int connections, int count, double perSecond, CancellationToken cancellationToken)
        => Run(endpoint, requests, connections, count, 1e9 / perSecond, cancellationToken);

    private static LoadResult Run(Endpoint endpoint, IReadOnlyList<Request> requests, int connections, int count, double intervalNanoseconds, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(requests.Count);
        var workers = Enumerable.Range(0, connections).Select(_ => new Worker(endpoint)).ToArray();
        var next = -1;
        using var ready = new CountdownEvent(connections);
        using var begin = new ManualResetEventSlim();
        long startedAt = 0;
        var threads = workers.Select(worker => new Thread(() => Work(worker), 256 << 10) { IsBackground = true, Name = "load" }).ToArray();
        foreach (var thread in threads) thread.Start();
        ready.Wait(cancellationToken);
        startedAt = Clock.Now + (intervalNanoseconds > 0 ? 1_000_000 : 0);
        begin.Set();
        foreach (var thread in threads) thread.Join();
        var wall = TimeSpan.FromMicroseconds((Clock.Now - startedAt) / 1000.0);
        cancellationToken.ThrowIfCancellationRequested();

        var (latency, firstByte) = (new HdrRecorder(), new HdrRecorder());
        foreach (var worker in workers)
        {
            latency.Add(worker.Latency);
            firstByte.Add(worker.FirstByte);
            worker.Dispose();
        }

        return new LoadResult(latency, firstByte, latency.Count, workers.Sum(w => w.Errors), workers.Sum(w => w.BodyBytes), workers.Sum(w => w.HeaderBytes),
            wall, workers.Select(w => w.FirstError).FirstOrDefault(e => e is not null));

        void Work(Worker worker)
        {
            worker.TryConnect();
            ready.Signal();
            begin.Wait();
            while (!cancellationToken.IsCancellationRequested)
            {
                var i = Interlocked.Increment(ref next);
                if (i >= count) return;
                var request = requests[i % requests.Count];
                if (intervalNanoseconds > 0)
                {
                    var due = startedAt + (long)(i * intervalNanoseconds);
                    Clock.WaitUntil(due);
                    worker.Send(request, due);
                }
                else
                {
                    worker.Send(request, Clock.Now);
                }
            }
        }
    }

    private sealed class Worker(Endpoint endpoint) : IDisposable
    {
        private readonly HttpConnection _connection = new(endpoint);

        public HdrRecorder Latency { get; } = new();

        public HdrRecorder FirstByte { get; } = new();

        public long Errors { get; private set; }

        public long BodyBytes { get; private set; }

        public long HeaderBytes { get; private set; }

        public string? FirstError { get; private set; }

        public void TryConnect()
        {
            try
            {
                _connection.Connect();
            }
            catch (IOException)
            {
            }
            catch (System.Net.Sockets.SocketException)
            {
                // Each request will say so.
            }
        }

        public void Send(Request request, long countsFrom)
        {
            try
            {
                var response = _connection.Send(request.Bytes, request.IsHead);
                var end = Clock.Now;
                Latency.Record(end - countsFrom);
                FirstByte.Record(response.FirstByteAt - countsFrom);
                BodyBytes += response.BodyBytes;
                HeaderBytes += response.HeaderBytes;
                if (response.Status is < 200 or > 299) Fail($"status {response.Status} for {request.Path}");
            }
            catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
            {
                // A failure has a latency too: leaving it out would flatter a server that refuses.
                Latency.Record(Clock.Now - countsFrom);
                Fail(exception.Message);
            }
        }

        public void Dispose() => _connection.Dispose();

        private void Fail(string message)
        {
            Errors++;
            FirstError ??= message;
        }
    }
}
