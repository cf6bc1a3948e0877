using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Tests.Shared.Faults;

/// <summary>
/// A server that answers each HTTP request with bytes as given, whatever HTTP says of them: for origins that lie. The first argument is the request's header as
/// it came. The connection is closed after each answer. Requests with a body are not understood.
/// </summary>
public sealed class RawHttpServer : IAsyncDisposable
{
    private readonly Func<string, byte[]> _answer;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _requests;

    public RawHttpServer(Func<string, byte[]> answer)
    {
        _answer = answer;
        _listener.Start(512);
        _accepting = Task.Run(AcceptAsync);
    }

    public EndPoint EndPoint => _listener.LocalEndpoint;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                serving.RemoveAll(static task => task.IsCompleted);
                serving.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
        }
        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            await using var stream = client.GetStream();
            var header = new byte[64 << 10];
            var length = 0;
            while (length < header.Length && !header.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
            {
                var read = await stream.ReadAsync(header.AsMemory(length), _stop.Token);
                if (read == 0) return;
                length += read;
            }
            Interlocked.Increment(ref _requests);
            await stream.WriteAsync(_answer(Encoding.Latin1.GetString(header, 0, length)), _stop.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            while (await stream.ReadAsync(header, _stop.Token) > 0) { }   // until the client has gone: a reset would take the answer with it
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
        }
    }
}
