using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PerfTests.Client;

namespace PerfTests.Tests;

/// <summary>Tests whose figures another test's work would change run by themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TimingCollection
{
    public const string Name = "Timing";
}

[Collection(TimingCollection.Name)]
public class LoadRunTests
{
    [Fact]
    public async Task Open_ServerStallsOnce_ChargesEveryRequestThatItKeptWaiting()
    {
        // One connection, 200 requests per second for a second; after 50 requests the server does nothing for 300 ms.
        // Counted from the sending only one request would have been slow. Counted from when they were due it is
        // those of 300 ms, 60 of 200, and the queue behind them, with waits falling evenly from 300 ms to none.
        await using var server = new TestServer(async i =>
        {
            if (i == 50) await Task.Delay(300);
        });
        var result = LoadRun.Open(server.Endpoint, [server.Get("/")], connections: 1, count: 200, perSecond: 200, CancellationToken.None);
        Assert.Equal((200, 0), (result.Requests, result.Errors));
        Assert.InRange(result.Latency.GetPercentile(100) / 1e6, 290, 10_000);
        Assert.InRange(result.Latency.GetPercentile(87.5) / 1e6, 100, 700);      // about 35 of the 60 waited for longer than 120 ms
        Assert.InRange(result.Latency.GetPercentile(50) / 1e6, 0, 150);
        Assert.True(result.Wall > TimeSpan.FromMilliseconds(950));
    }

    [Fact]
    public async Task Closed_SameStall_ChargesOneRequest()
    {
        await using var server = new TestServer(async i =>
        {
            if (i == 50) await Task.Delay(300);
        });
        var result = LoadRun.Closed(server.Endpoint, [server.Get("/")], connections: 1, count: 200, CancellationToken.None);
        Assert.InRange(result.Latency.GetPercentile(100) / 1e6, 290, 10_000);
        Assert.InRange(result.Latency.GetPercentile(95) / 1e6, 0, 200);
    }

    [Fact]
    public async Task Open_Rate_IsKept()
    {
        await using var server = new TestServer(_ => Task.CompletedTask);
        var watch = Stopwatch.StartNew();
        var result = LoadRun.Open(server.Endpoint, [server.Get("/")], connections: 4, count: 100, perSecond: 200, CancellationToken.None);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.49, 5);
        Assert.Equal(100, result.Requests);
    }

    [Fact]
    public async Task Closed_SeveralConnections_SendsEachRequestOnceInTurn()
    {
        await using var server = new TestServer(_ => Task.CompletedTask);
        var requests = Enumerable.Range(0, 10).Select(i => server.Get($"/{i}")).ToList();
        var result = LoadRun.Closed(server.Endpoint, requests, connections: 4, count: 25, CancellationToken.None);
        Assert.Equal((25, 0, 25L * TestServer.Body.Length), (result.Requests, result.Errors, result.BodyBytes));
        Assert.Equal(4, server.Connections);
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(i < 5 ? 3 : 2, server.Paths.Count(path => path == $"/{i}")));
    }

    [Fact]
    public void Closed_NobodyListens_CountsErrorsAndEnds()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var endpoint = Endpoint.Parse($"http://127.0.0.1:{port}");
        var result = LoadRun.Closed(endpoint, [Request.Get(endpoint, "/", [])], 2, 10, CancellationToken.None);
        Assert.Equal((10, 10), (result.Requests, result.Errors));
        Assert.NotNull(result.FirstError);
    }

    [Fact]
    public async Task Closed_ErrorStatus_IsAnError()
    {
        await using var server = new TestServer(_ => Task.CompletedTask, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
        var result = LoadRun.Closed(server.Endpoint, [server.Get("/a")], 1, 3, CancellationToken.None);
        Assert.Equal((3, "status 503 for /a"), (result.Errors, result.FirstError));
    }

    [Fact]
    public async Task Closed_ServerClosesEachConnection_OpensANewOne()
    {
        await using var server = new TestServer(_ => Task.CompletedTask, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        var result = LoadRun.Closed(server.Endpoint, [server.Get("/a")], 1, 5, CancellationToken.None);
        Assert.Equal((5, 0), (result.Requests, result.Errors));
        Assert.InRange(server.Connections, 5, 6);
    }

    /// <summary>Answers each request after what <paramref name="before"/> does with its number.</summary>
    private sealed class TestServer : IAsyncDisposable
    {
        public static readonly string Body = new('b', 1000);

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Func<int, Task> _before;
        private readonly byte[] _answer;
        private readonly Task _accepting;
        private int _requests, _connections;

        public TestServer(Func<int, Task> before, string? answer = null)
        {
            _before = before;
            _answer = Encoding.ASCII.GetBytes(answer ?? $"HTTP/1.1 200 OK\r\nContent-Length: {Body.Length}\r\n\r\n{Body}");
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public Endpoint Endpoint => Endpoint.Parse($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

        public int Connections => _connections;

        public System.Collections.Concurrent.ConcurrentQueue<string> Paths { get; } = new();

        public Request Get(string path) => Request.Get(Endpoint, path, []);

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync();
                    Interlocked.Increment(ref _connections);
                    _ = ServeAsync(client);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped: while it waited, or between two connections.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using var _ = client;
            client.NoDelay = true;
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            try
            {
                while (await reader.ReadLineAsync() is { } line)
                {
                    Paths.Enqueue(line.Split(' ')[1]);
                    while (await reader.ReadLineAsync() is { Length: > 0 })
                    {
                    }

                    await _before(Interlocked.Increment(ref _requests) - 1);
                    await client.GetStream().WriteAsync(_answer);
                    if (Encoding.ASCII.GetString(_answer).Contains("close")) return;
                }
            }
            catch (IOException)
            {
            }
        }
    }
}
