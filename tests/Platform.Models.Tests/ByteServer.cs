using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Tests.Shared.Faults;

namespace Platform.Models.Tests;

/// <summary>Serves bytes by path, with ranges and entity tags; counts what it sends.</summary>
internal sealed partial class ByteServer : IAsyncDisposable
{
    private readonly RawHttpServer _server;
    private long _bodyBytes;

    public ByteServer() => _server = new RawHttpServer(Answer);

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Answers instead, given path and header; null lets the file be served.</summary>
    public Func<string, string, byte[]?>? Instead { get; set; }

    public string EntityTag { get; set; } = "\"v1\"";

    public bool KnowsRanges { get; set; } = true;

    public List<string> Requests { get; } = [];

    public long BodyBytes => Interlocked.Read(ref _bodyBytes);

    public int Port => _server.Port;

    public string Url(string path) => $"http://127.0.0.1:{Port}/{path}";

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public static byte[] Response(string status, string headers, ReadOnlySpan<byte> body) =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n"), .. body];

    private byte[] Answer(string header)
    {
        lock (Requests) Requests.Add(header);
        var path = header.Split(' ')[1].TrimStart('/');
        if (Instead?.Invoke(path, header) is { } other) return other;
        if (!Files.TryGetValue(path, out var file)) return Response("404 Not Found", "Content-Length: 0\r\n", []);
        var range = Range().Match(header);
        var condition = IfRange().Match(header);
        var isCurrent = !condition.Success || condition.Groups[1].Value == EntityTag;
        if (KnowsRanges && range.Success && isCurrent)
        {
            var from = int.Parse(range.Groups[1].Value, CultureInfo.InvariantCulture);
            if (from >= file.Length) return Response("416 Range Not Satisfiable", $"Content-Range: bytes */{file.Length}\r\nContent-Length: 0\r\n", []);
            Interlocked.Add(ref _bodyBytes, file.Length - from);
            return Response("206 Partial Content", $"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}\r\nContent-Length: {file.Length - from}\r\nETag: {EntityTag}\r\n", file.AsSpan(from));
        }
        Interlocked.Add(ref _bodyBytes, file.Length);
        return Response("200 OK", $"Content-Length: {file.Length}\r\nETag: {EntityTag}\r\nAccept-Ranges: bytes\r\n", file);
    }

    [GeneratedRegex(@"\r\nRange: bytes=(\d+)-\r\n", RegexOptions.IgnoreCase)]
    private static partial Regex Range();

    [GeneratedRegex(@"\r\nIf-Range: ([^\r]+)\r\n", RegexOptions.IgnoreCase)]
    private static partial Regex IfRange();
}
