using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Tests.Shared.Faults;

/// <summary>A request as an origin saw it. <paramref name="Number"/> counts from 1.</summary>
public sealed record OriginRequest(int Number, string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The lines of a field joined by commas, or null.</summary>
    public string? this[string name]
    {
        get
        {
            var values = Headers.Where(line => line.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(static line => line.Value).ToArray();
            return values.Length == 0 ? null : string.Join(", ", values);
        }
    }
}

/// <summary>What an origin answers: header lines to the letter. Without a length of its own among them the body's is told.</summary>
public sealed record OriginReply(int Status, params string[] Lines)
{
    public byte[] Body { get; init; } = [];

    /// <summary>Writes the body in the place of <see cref="Body"/>; the connection is closed when it returns.</summary>
    public Func<Stream, CancellationToken, Task>? Write { get; init; }

    /// <summary>Closes the connection instead of answering.</summary>
    public bool Disconnects { get; init; }

    public static OriginReply Of(int status, string body, params string[] lines) => new(status, lines) { Body = Encoding.UTF8.GetBytes(body) };
}

/// <summary>A real HTTP/1.1 server on loopback that answers as a test says, malformed fields and broken bodies included. Keeps connections open.</summary>
public sealed class ScriptedOrigin : IAsyncDisposable
{
    private const int MaxHeaderBytes = 64 << 10;

    private readonly Func<OriginRequest, Task<OriginReply>> _answer;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<OriginRequest> _requests = new();
    private readonly Task _accepting;
    private int _count;

    public ScriptedOrigin(Func<OriginRequest, OriginReply> answer) : this(request => Task.FromResult(answer(request))) { }

    public ScriptedOrigin(Func<OriginRequest, Task<OriginReply>> answer)
    {
        _answer = answer;
        _listener.Start(512);
        _accepting = Task.Run(AcceptAsync);
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public IReadOnlyList<OriginRequest> Requests => [.. _requests];

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
            client.NoDelay = true;
            await using var stream = client.GetStream();
            while (await ReadAsync(stream) is { } request)
            {
                _requests.Enqueue(request);
                var reply = await _answer(request);
                if (reply.Disconnects) return;
                await stream.WriteAsync(Header(reply), _stop.Token);
                if (request.Method == "HEAD" || reply.Status is 204 or 304) continue;
                if (reply.Write is { } write)
                {
                    await write(stream, _stop.Token);
                    return;
                }
                await stream.WriteAsync(reply.Body, _stop.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
        }
    }

    private async Task<OriginRequest?> ReadAsync(NetworkStream stream)
    {
        var header = new byte[MaxHeaderBytes];
        var length = 0;
        while (!header.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            // Byte by byte: what follows the header is the body's.
            if (length == header.Length || await stream.ReadAsync(header.AsMemory(length, 1), _stop.Token) == 0) return null;
            length++;
        }
        var lines = Encoding.Latin1.GetString(header, 0, length).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var start = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(static line => KeyValuePair.Create(line[..line.IndexOf(':')], line[(line.IndexOf(':') + 1)..].Trim())).ToArray();
        var told = headers.FirstOrDefault(static line => line.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)).Value;
        var body = new byte[told is null ? 0 : int.Parse(told, CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new OriginRequest(Interlocked.Increment(ref _count), start[0], start[1], headers, body);
    }

    private static byte[] Header(OriginReply reply)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} Said\r\n"));
        foreach (var line in reply.Lines) text.Append(line).Append("\r\n");
        var tellsLength = reply.Lines.Any(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) || line.StartsWith("Transfer-Encoding:", StringComparison.OrdinalIgnoreCase));
        if (!tellsLength && reply.Write is null && reply.Status is not (204 or 304)) text.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Body.Length}\r\n");
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }
}
