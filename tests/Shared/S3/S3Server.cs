using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Platform.Tests.Shared.S3;

/// <summary>
/// An object store of a test's own: s3rver on a free loopback port over a temporary folder, with buckets by path. It speaks S3 and knows one account, but
/// it checks no signatures of version 4 and ignores If-Match. Guard the test with <c>[ToolFact("s3rver")]</c>.
/// </summary>
public sealed partial class S3Server : IAsyncDisposable
{
    /// <summary>The account that s3rver knows.</summary>
    public const string AccessKey = "S3RVER", SecretKey = "S3RVER";

    private readonly TempFolder _folder = new();
    private Process _process = null!;

    private S3Server()
    {
    }

    public int Port { get; private set; }

    public Uri Url => new($"http://127.0.0.1:{Port}/");

    public static async Task<S3Server> StartAsync(params string[] buckets)
    {
        var server = new S3Server();
        foreach (var bucket in buckets) Directory.CreateDirectory(server._folder.Combine(bucket));
        // It makes its continuation tokens with DES, which OpenSSL 3 has put away.
        var start = new ProcessStartInfo(ToolPath.Find("node")!, ["--openssl-legacy-provider", ToolPath.Find("s3rver")!, "-d", server._folder.Path, "-a", "127.0.0.1", "-p", "0", "--silent", "--no-vhost-buckets"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["NODE_NO_WARNINGS"] = "1";
        server._process = Process.Start(start)!;
        while (server.Port == 0)
        {
            var line = await server._process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? throw new InvalidOperationException("s3rver did not start.");
            if (Listening().Match(line) is { Success: true } match) server.Port = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        }
        _ = server._process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        return server;
    }

    /// <summary>Puts an object by the wire, as another client of the store would.</summary>
    public async Task PutAsync(string bucket, string key, byte[] bytes)
    {
        using var client = new HttpClient();
        using var answer = await client.PutAsync(UrlOf(bucket, key), new ByteArrayContent(bytes));
        if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"s3rver answered {answer.StatusCode}.");
    }

    public async Task DeleteAsync(string bucket, string key)
    {
        using var client = new HttpClient();
        using var answer = await client.DeleteAsync(UrlOf(bucket, key));
        if (answer.StatusCode != HttpStatusCode.NoContent) throw new InvalidOperationException($"s3rver answered {answer.StatusCode}.");
    }

    /// <summary>The files that hold the objects of a bucket, so that a test can damage them.</summary>
    public IReadOnlyList<string> FilesOf(string bucket) =>
        [.. Directory.EnumerateFiles(Path.Combine(_folder.Path, bucket), "*._S3rver_object", SearchOption.AllDirectories)];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private Uri UrlOf(string bucket, string key) => new(Url, $"{bucket}/{string.Join('/', key.Split('/').Select(Uri.EscapeDataString))}");

    [GeneratedRegex(@"listening on \S+:(\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Listening();
}
