using System.Text;

namespace PerfTests.Client;

/// <summary>A request as the bytes that go out.</summary>
internal sealed record Request(byte[] Bytes, string Path, bool IsHead = false)
{
    public static Request Get(Endpoint endpoint, string path, IEnumerable<string> headers) => Make("GET", endpoint, path, headers, []);

    public static Request Post(Endpoint endpoint, string path, IEnumerable<string> headers, byte[] body)
        => Make("POST", endpoint, path, [.. headers, $"Content-Length: {body.Length}"], body);

    private static Request Make(string method, Endpoint endpoint, string path, IEnumerable<string> headers, byte[] body)
    {
        var head = new StringBuilder($"{method} {endpoint.BasePath}{path} HTTP/1.1\r\nHost: {endpoint.Authority}\r\n");
        foreach (var header in headers)
        {
            if (header.AsSpan().ContainsAny('\r', '\n')) throw new ArgumentException("A header has one line.");
            head.Append(header).Append("\r\n");
        }

        return new Request([.. Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), .. body], path, method == "HEAD");
    }
}
