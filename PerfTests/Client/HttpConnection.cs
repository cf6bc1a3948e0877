using System.Net.Sockets;

namespace PerfTests.Client;

/// <summary>A server to ask: host, port and the path that its URLs begin with.</summary>
internal sealed record Endpoint(string Host, int Port, string BasePath)
{
    public static Endpoint Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != "http") throw new ArgumentException($"'{url}' is no http URL.");
        return new Endpoint(uri.Host, uri.Port, uri.AbsolutePath.TrimEnd('/'));
    }

    public string Authority => $"{Host}:{Port}";
}

/// <summary>
/// One keep-alive connection with blocking calls, so that a request costs two or a few system calls and nothing else:
/// no event loop, no allocation, no copy beyond the receive. Belongs to one thread.
/// </summary>
internal sealed class HttpConnection : IByteSource, IDisposable
{
    private readonly Endpoint _endpoint;
    private Socket? _socket;

    public HttpConnection(Endpoint endpoint, TimeSpan? timeout = null)
    {
        _endpoint = endpoint;
        Timeout = timeout ?? TimeSpan.FromSeconds(60);
        Reader = new ResponseReader(this);
    }

    public ResponseReader Reader { get; }

    public TimeSpan Timeout { get; }

    /// <summary>Connections that were opened.</summary>
    public int Opened { get; private set; }

    /// <summary>Sends a request and reads its answer; opens the connection where there is none.</summary>
    public Response Send(ReadOnlySpan<byte> request, bool isHead = false)
    {
        try
        {
            var socket = _socket ??= Open();
            for (var sent = 0; sent < request.Length;) sent += socket.Send(request[sent..]);
            var response = Reader.Read(isHead);
            if (response.Closes) Close();
            return response;
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Opens the connection, so that the first request does not pay for it.</summary>
    public void Connect() => _socket ??= Open();

    int IByteSource.Receive(Span<byte> into) => _socket!.Receive(into);

    public void Dispose() => Close();

    private Socket Open()
    {
        Reader.Reset();
        Opened++;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Timeout.TotalMilliseconds,
            SendTimeout = (int)Timeout.TotalMilliseconds,
        };
        try
        {
            socket.Connect(_endpoint.Host, _endpoint.Port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
