using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Platform.Tests.Shared.Faults;

/// <summary>
/// A TCP proxy that stands between any client and server and misbehaves on demand. Faults are switched while it runs; each applies to bytes that pass
/// from then on. Listens on a free loopback port, which it keeps until disposed.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<FaultConnection, Task> _open = new();
    private readonly Socket _listener;
    private readonly Task _accepting;
    private volatile EndPoint _target;
    private volatile NewConnections _newConnections;
    private long _connections;

    private FaultProxy(EndPoint target)
    {
        _target = target;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where clients connect: 127.0.0.1 and this port.</summary>
    public int Port { get; }

    /// <summary>What happens to bytes on their way to the server.</summary>
    public FaultDirection ToServer { get; } = new();

    /// <summary>What happens to bytes on their way to the client.</summary>
    public FaultDirection ToClient { get; } = new();

    /// <summary>What happens to clients that connect from now on.</summary>
    public NewConnections NewConnections
    {
        get => _newConnections;
        set => _newConnections = value;
    }

    /// <summary>Where new connections lead.</summary>
    public EndPoint Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Connections accepted since the start, refused ones too.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    public int OpenConnections => _open.Count;

    /// <summary>Begins to listen before a server of 127.0.0.1.</summary>
    public static FaultProxy Start(int serverPort) => new(new IPEndPoint(IPAddress.Loopback, serverPort));

    public static FaultProxy Start(EndPoint server) => new(server);

    /// <summary>Resets every open connection, towards both sides.</summary>
    public void ResetConnections()
    {
        foreach (var connection in _open.Keys) connection.Reset();
    }

    /// <summary>Ends every fault; connections already broken stay so.</summary>
    public void Heal()
    {
        ToServer.Heal();
        ToClient.Heal();
        NewConnections = NewConnections.Accepted;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        ResetConnections();
        await Task.WhenAll(_open.Values);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                if (_stop.IsCancellationRequested) return;
                continue;
            }
            Interlocked.Increment(ref _connections);
            var connection = new FaultConnection(client, this, _newConnections, _stop.Token);
            var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _open[connection] = RunAsync(connection, begin.Task);
            begin.SetResult();
        }
    }

    private async Task RunAsync(FaultConnection connection, Task begin)
    {
        await begin;
        await connection.RunAsync();
        _open.TryRemove(connection, out _);
    }
}

/// <summary>How a <see cref="FaultProxy"/> treats who connects.</summary>
public enum NewConnections
{
    Accepted,

    /// <summary>Reset at once.</summary>
    Reset,

    /// <summary>Accepted, and nothing ever happens: the server is not even asked.</summary>
    Ignored,
}
